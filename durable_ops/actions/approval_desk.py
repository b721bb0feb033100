"""The desk that the engine's `wait_for_approval` asks, bound by the app's configuration."""

from django.contrib.auth import get_user_model

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor, Channel
from durable_ops.approvals import requests
from durable_ops.approvals.errors import ApprovalRefusedError
from durable_ops.approvals.policy import Refusal
from execution_engine.sdk.approval import ApprovalDecision, ApprovalRequest
from execution_engine.sdk.ports import ApprovalPlace


class Desk:
    """`execution_engine.sdk.ports.ApprovalDesk` on Django's users and groups."""

    def ask(self, request: ApprovalRequest, place: ApprovalPlace) -> None:
        requests.ask(request, place)

    def decide(self, callback_id: str, decision: ApprovalDecision) -> None:
        users = get_user_model()
        user = users._default_manager.filter(**{users.USERNAME_FIELD: decision.by}).first()
        if user is None:
            raise ApprovalRefusedError(Refusal.NOT_ASKED)
        actor = Actor(user, channel=Channel.COMMAND)
        approvals.decide(actor, callback_id, approved=decision.approved, comment=decision.comment, fields=decision.fields)
