"""ETags: a GET whose answer the caller has already is 304, and a change of something that changed meanwhile is 412.

Every JSON answer has one, made of its text. An execution's is made of its row, before anything else is read: of an open one the text
changes with every second.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from execution_engine.core.errors import ChangedMeanwhileError


def tag_of(text: bytes | str) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return f'"{hashlib.sha256(raw).hexdigest()[:32]}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether the caller has this answer. The comparison is the weak one, as the standard asks for If-None-Match."""
    sent = {one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))}
    return "*" in sent or tag.removeprefix("W/") in sent


def not_modified(tag: str) -> Response:
    return Response(status=304, headers={"ETag": tag, "Vary": "Authorization, Cookie"})


def add_tag(request: Request, response: Any) -> None:
    """Gives a JSON answer its ETag as soon as its text is there; answers 304 in its place when the caller has it."""
    if request.method not in ("GET", "HEAD") or response.status_code != 200 or not isinstance(response, Response):
        return
    patch_vary_headers(response, ["Authorization", "Cookie"])

    def tag(rendered: Response) -> Any:
        if not rendered.has_header("ETag"):
            rendered["ETag"] = tag_of(rendered.content)
        return get_conditional_response(request._request, etag=rendered["ETag"], response=rendered)

    response.add_post_render_callback(tag)


def require_match(request: Request, current: Mapping[str, Any]) -> None:
    """For a change of something that others edit too: `current` is what a GET answers now.

    Without If-Match the last change wins. Raises ChangedMeanwhileError.
    """
    sent = parse_etags(request.headers.get("If-Match", ""))
    if sent and "*" not in sent and tag_of(JSONRenderer().render(current)) not in sent:
        raise ChangedMeanwhileError("This was changed after you read it; read it again.")
