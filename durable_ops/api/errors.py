"""Every refusal of this door as `application/problem+json` (RFC 9457), in one place.

Keys: `type` (a URN of the code), `title` (the phrase of the status), `status`, `code` (stable, for programs), `detail`
(for people), then the facts of the refusal; field errors stand in `errors` as `{field: [text, ...]}`.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.http.request import UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from durable_ops.permissions import RightMissingError
from execution_engine.core.errors import CommandError

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2
RESERVED = frozenset({"type", "title", "status", "code", "detail", "errors"})


def problem_response(exc: Exception, _: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. None (a server error, logged by Django) for what is no refusal."""
    found = problem_of(exc)
    if found is None:
        return None
    set_rollback()
    return found


def problem_of(exc: Exception) -> Response | None:
    """The answer to a refusal; None for what is none."""
    if isinstance(exc, CommandError):
        headers = {"Retry-After": str(exc.facts["retry_after"])} if "retry_after" in exc.facts else {}
        return problem(exc.status, exc.code, exc.message, exc.facts, headers=headers)
    if isinstance(exc, exceptions.APIException):
        return _api_problem(exc)
    if isinstance(exc, RightMissingError):
        return problem(403, "permission_denied", str(exc), {"right": exc.right.value})
    if isinstance(exc, PermissionDenied):
        return problem(403, "permission_denied", str(exc) or "You may not do this.")
    if isinstance(exc, Http404):
        return problem(404, "not_found", "There is nothing at this address.")
    if isinstance(exc, RequestDataTooBig):
        return problem(413, "body_too_large", "The body is too large.")
    if isinstance(exc, SuspiciousOperation | UnreadablePostError):
        return problem(400, "invalid_request", "The request could not be read.")
    if isinstance(exc, OperationalError | InterfaceError):
        logger.warning("database unavailable: %s", exc)
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return problem(503, "database_unavailable", "The database does not answer; try again.", headers=headers)
    return None


def _api_problem(exc: exceptions.APIException) -> Response:
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait))  # type: ignore[attr-defined]
    facts = dict(getattr(exc, "facts", {}))
    if isinstance(exc, exceptions.ValidationError):
        errors = exc.detail if isinstance(exc.detail, dict) else {"body": exc.detail}
        return problem(400, "invalid_input", _sentence(errors), errors=errors)
    code = exc.get_codes()
    return problem(exc.status_code, code if isinstance(code, str) else "invalid_request", str(exc.detail), facts, headers=headers)


def problem(
    status: int,
    code: str,
    detail: str,
    facts: Mapping[str, Any] | None = None,
    *,
    errors: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:durable-ops:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if errors is not None:
        body["errors"] = errors
    body |= {key: _plain(value) for key, value in (facts or {}).items() if key not in RESERVED}
    return Response(body, status=status, headers=dict(headers or {}), content_type="application/problem+json")


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _sentence(errors: Mapping[str, Any]) -> str:
    """The first of them: `field: what is wrong`, with the place in a list or an object as `events.0: ...`."""
    field, texts = next(iter(errors.items()))
    if isinstance(texts, Mapping) and texts:
        return f"{field}.{_sentence(texts)}"
    first = texts[0] if isinstance(texts, list) and texts else texts
    if isinstance(first, Mapping) and first:
        return f"{field}.{_sentence(first)}"
    return f"{field}: {first}"
