"""Audit rows of refused attempts: a signed-in person or a key tried an act without the right to it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from durable_ops.audit import log
from durable_ops.doors.callers import address_of, count_in_minute
from durable_ops.models import ApiKey

logger = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NOTED_PER_MINUTE = 20
"""Of one person at one server process: a program that tries again for ever must not fill the log."""

_LONGEST = 300


class RefusalMiddleware:
    """Notes each 403 that a signed-in person or a key gets for a method that acts, in a transaction of its own.

    It stands around every door. What was refused before anybody was identified (no sign-in, bad key) is nobody's attempt.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 403 and request.method not in SAFE:
            user = getattr(request, "user", None)
            if user is not None and user.is_authenticated:
                _note(request, user)
        return response


@dataclass(frozen=True, slots=True)
class _Refused:
    """What the log needs to know of an actor."""

    user: Any
    key: ApiKey | None
    channel: str
    address: str

    @property
    def name(self) -> str:
        return str(self.user.get_username()) + (f" (key {self.key.name})" if self.key else "")


def _note(request: HttpRequest, user: Any) -> None:
    number = count_in_minute(f"durable-ops-refusals:{user.pk}")
    if number > NOTED_PER_MINUTE:
        return
    key = getattr(request, "auth", None) or getattr(user, "durable_key", None)
    is_program = isinstance(key, ApiKey)
    channel = getattr(request, "channel", "rest" if is_program else "console")
    actor = _Refused(user, key if is_program else None, channel, address_of(request.META))
    try:
        with transaction.atomic():
            log.append(actor, _act(request, is_last=number == NOTED_PER_MINUTE))
    except DatabaseError as error:  # the answer is a refusal either way
        logger.warning("a refused attempt could not be noted: %s", error)


def _act(request: HttpRequest, *, is_last: bool) -> log.Act:
    """Names the route and its parameters, never the address itself, which may be a mailed link."""
    match = request.resolver_match
    arguments = match.kwargs if match else {}
    facts = {"method": request.method, "route": match.view_name if match else ""}
    if is_last:
        facts["more"] = "further refusals of this minute are not noted"
    target = "" if "token" in arguments else next((str(value)[:_LONGEST] for value in arguments.values()), "")
    return log.Act("attempt.refused", "route", target, execution_id=_uuid(arguments.get("execution_id")), facts=facts)


def _uuid(value: Any) -> UUID | None:
    try:
        return value if value is None or isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        return None
