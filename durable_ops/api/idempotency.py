"""`Idempotency-Key`: a POST that is sent again is answered again, not done again, also after a restart and from another web process.

The answer is stored in the transaction of what the call did, under a digest of caller, address and key. A duplicate that comes
meanwhile waits for that transaction at the unique key, at most `WAIT_SECONDS`. Refusals are not stored: they changed nothing, and
the same key may be tried again.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.models import ApiKey, StoredAnswer
from execution_engine.core.errors import CommandError, InvalidInputError

HEADER = "Idempotency-Key"
MAX_KEY = 255
KEPT_HOURS = 24
WAIT_SECONDS = 10
_KEY = re.compile(rf"[ -~]{{1,{MAX_KEY}}}")
_CLAIM = """
insert into durable_ops_stored_answer as t (digest, body_digest, status, answer) values (%s, %s, 0, '')
on conflict (digest) do update set body_digest = excluded.body_digest, status = 0, answer = '', created_at = statement_timestamp()
 where t.created_at < statement_timestamp() - make_interval(hours => %s)
returning 1"""
Handler = Callable[..., Response]


class KeyReusedError(CommandError):
    code = "idempotency_key_reused"
    status = 422


class CallUnderWayError(CommandError):
    code = "idempotency_key_busy"
    status = 409


def once(handler: Handler) -> Handler:
    """Makes a view's POST idempotent for whoever sends the header."""

    @wraps(handler)
    def answered(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            raise InvalidInputError(f"{HEADER} takes 1 to {MAX_KEY} visible ASCII characters.", field=HEADER, limit=MAX_KEY)
        digest, body_digest = _digest(_caller(request), request.path, key), _digest(json.dumps(request.data, sort_keys=True))
        with transaction.atomic():
            if not _claim(digest, body_digest):
                return _again(digest, body_digest)
            answer = handler(view, request, *args, **kwargs)
            text = JSONRenderer().render(_kept(view, answer.data)).decode()
            StoredAnswer.objects.filter(digest=digest).update(status=answer.status_code, answer=text)
        return answer

    return answered


def _kept(view: Any, data: Any) -> Any:
    """What is told once only is not stored, and null when it is asked for again."""
    hidden = getattr(view, "once_only", frozenset())
    return {name: None if name in hidden else value for name, value in data.items()} if hidden else data


def forget_old(_: Any = None) -> None:
    """A duty: removes answers older than a day, ten thousand at a time."""
    old = StoredAnswer.objects.filter(created_at__lt=Now() - timedelta(hours=KEPT_HOURS)).order_by("created_at")
    StoredAnswer.objects.filter(digest__in=list(old.values_list("digest", flat=True)[:10_000])).delete()


def _claim(digest: bytes, body_digest: bytes) -> bool:
    """Whether this call is the first. Waits for a call under way with the same key, and goes on with what that one left."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select set_config('lock_timeout', %s, true)", [f"{WAIT_SECONDS}s"])
            cursor.execute(_CLAIM, [digest, body_digest, KEPT_HOURS])
            found = cursor.fetchone()
            cursor.execute("set local lock_timeout to default")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":
            raise
        raise CallUnderWayError("A call with this Idempotency-Key is still under way; ask again.", wait_seconds=WAIT_SECONDS) from error
    return found is not None


def _again(digest: bytes, body_digest: bytes) -> Response:
    stored = StoredAnswer.objects.get(digest=digest)
    if bytes(stored.body_digest) != body_digest:
        message = "This Idempotency-Key was used here for another body within the last 24 hours; choose a new one."
        raise KeyReusedError(message, kept_hours=KEPT_HOURS)
    return Response(json.loads(stored.answer) if stored.answer else None, status=stored.status, headers={"Idempotent-Replayed": "true"})


def _caller(request: Request) -> str:
    return f"key {request.auth.pk}" if isinstance(request.auth, ApiKey) else f"user {request.user.pk}"


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()
