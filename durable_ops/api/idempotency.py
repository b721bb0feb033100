"""`Idempotency-Key`: a POST that is sent again is answered again, not done again, also after a restart and from another web process.

The answer is stored in the transaction of what the call did, under a digest of caller, address and key. Refusals are not stored:
they changed nothing, and the same key may be tried again. Answers hold payloads, which may be deleted or masked later: they are encrypted.
"""

import json
import re
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.doors import repeats
from durable_ops.doors.repeats import KEPT_HOURS
from durable_ops.models import ApiKey, StoredAnswer
from durable_ops.texts.secret_text import open_sealed, seal
from execution_engine.core.errors import CommandError, InvalidInputError

HEADER = "Idempotency-Key"
MAX_KEY = 255
_KEY = re.compile(rf"[ -~]{{1,{MAX_KEY}}}")
Handler = Callable[..., Response]


class KeyReusedError(CommandError):
    code = "idempotency_key_reused"
    status = 422


def once(handler: Handler) -> Handler:
    """Makes a view's POST idempotent for whoever sends the header."""

    @wraps(handler)
    def answered(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            raise InvalidInputError(f"{HEADER} takes 1 to {MAX_KEY} visible ASCII characters.", field=HEADER, limit=MAX_KEY)
        digest = repeats.digest(_caller(request), request.path, key)
        body_digest = repeats.digest(json.dumps(request.data, sort_keys=True))
        with transaction.atomic():
            if not repeats.claim(digest, body_digest):
                return _again(digest, body_digest)
            answer = handler(view, request, *args, **kwargs)
            text = seal(JSONRenderer().render(_kept(view, answer.data)).decode())
            StoredAnswer.objects.filter(digest=digest).update(status=answer.status_code, answer=text)
        return answer

    return answered


def _kept(view: Any, data: Any) -> Any:
    """What is told once only is not stored, and null when it is asked for again."""
    hidden: Collection[str] = getattr(view, "once_only", ())
    return {name: None if name in hidden else value for name, value in data.items()} if hidden else data


def forget_old(_: Any = None) -> None:
    """A duty: removes answers older than a day, ten thousand at a time."""
    old = StoredAnswer.objects.filter(created_at__lt=Now() - timedelta(hours=KEPT_HOURS)).order_by("created_at")
    StoredAnswer.objects.filter(digest__in=list(old.values_list("digest", flat=True)[:10_000])).delete()


def _again(digest: bytes, body_digest: bytes) -> Response:
    stored = StoredAnswer.objects.get(digest=digest)
    if bytes(stored.body_digest) != body_digest:
        message = "This Idempotency-Key was used here for another body within the last 24 hours; choose a new one."
        raise KeyReusedError(message, kept_hours=KEPT_HOURS)
    answer = open_sealed(stored.answer)
    if answer is None:
        raise KeyReusedError("The call was done; its answer was kept with another SECRET_KEY and is lost.", kept_hours=KEPT_HOURS)
    return Response(json.loads(answer) if answer else None, status=stored.status, headers={"Idempotent-Replayed": "true"})


def _caller(request: Request) -> str:
    return f"key {request.auth.pk}" if isinstance(request.auth, ApiKey) else f"user {request.user.pk}"
