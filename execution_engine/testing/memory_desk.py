"""Approvals in memory: who answers is taken at their word, which is what a test of a function wants; rights are the console's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from execution_engine.core.errors import CallbackNotFoundError, InvalidInputError
from execution_engine.sdk.approval import ApprovalDecision, ApprovalRequest
from execution_engine.sdk.ports import ApprovalPlace


class MemoryDesk:
    """A `sdk.ports.ApprovalDesk` for the executions of one client. One rejection decides, `quorum` people have to approve."""

    def __init__(self, complete: Callable[[str, str], None], now: Callable[[], datetime]) -> None:
        self._complete = complete
        self._now = now
        self._requests: dict[str, ApprovalRequest] = {}
        self._decisions: dict[str, list[dict[str, Any]]] = {}

    def ask(self, request: ApprovalRequest, place: ApprovalPlace) -> None:
        self._requests.setdefault(place.callback_id, request)

    def request_of(self, callback_id: str) -> ApprovalRequest:
        """Raises `CallbackNotFoundError` for a callback that is no approval."""
        if callback_id not in self._requests:
            raise CallbackNotFoundError("there is no such approval", callback_id=callback_id)
        return self._requests[callback_id]

    def decide(self, callback_id: str, decision: ApprovalDecision) -> None:
        request, by = self.request_of(callback_id), decision.by
        made = self._decisions.setdefault(callback_id, [])
        if any(one["by"] == by for one in made):
            raise InvalidInputError(f"{by} has decided already", field="by", value=by)
        if decision.approved and by == request.requester and not request.requester_may_approve:
            raise InvalidInputError(f"{by} asked for this and may not approve it", field="by", value=by)
        made.append({"by": by, "approved": decision.approved, "comment": decision.comment, "at": self._now().isoformat()})
        if decision.approved and len(made) < request.quorum:
            return
        self._complete(callback_id, replace(decision, decisions=tuple(made), decided_at=self._now()).to_text())
