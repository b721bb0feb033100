"""The one reader of request bodies: bounded, strict JSON."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from durable_ops import json_text
from execution_engine.conf import engine_settings

# Beside the payload a body has a name, attributes and an error's text.
ENVELOPE_BYTES = 256 * 1024


class BodyTooLargeError(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.")
        self.facts = {"limit_bytes": limit}


class LengthRequiredError(APIException):
    """A chunked body reaches WSGI applications as an empty one: it must not pass for no body."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = "Send the body with Content-Length, not in chunks."


class JsonObject(dict[str, Any]):
    """A JSON object and the very text it was sent as."""

    def __init__(self, members: Mapping[str, Any], text: str) -> None:
        super().__init__(members)
        self.text = text


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        request = (parser_context or {})["request"]
        if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
            raise UnsupportedMediaType(media_type or "", "Send the body without Content-Encoding.")
        charset = request.content_params.get("charset", "utf-8") if hasattr(request, "content_params") else "utf-8"
        if charset.lower() not in {"utf-8", "utf8", "us-ascii"}:
            raise UnsupportedMediaType(media_type or "", "Send the body in UTF-8.")
        limit = max_body_bytes()
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
        if announced > limit:
            raise BodyTooLargeError(limit)
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise BodyTooLargeError(limit)
        if len(raw) < announced:
            raise ParseError(f"The body ended after {len(raw)} of {announced} bytes.", code="invalid_json")
        try:
            value = json_text.parse(raw)
        except json_text.JsonTextError as error:
            raise ParseError(str(error), code="invalid_json") from error
        return JsonObject(value, raw.decode()) if isinstance(value, dict) else value


def max_body_bytes() -> int:
    return engine_settings().MAX_PAYLOAD_BYTES + ENVELOPE_BYTES
