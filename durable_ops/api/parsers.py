"""The one reader of request bodies: bounded, strict JSON."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from durable_ops.doors.bodies import read_body
from durable_ops.texts import json_text
from execution_engine.conf import engine_settings

# Beside the payload a body has a name, attributes and an error's text.
ENVELOPE_BYTES = 256 * 1024


class JsonObject(dict[str, Any]):
    """A JSON object and the very text it was sent as."""

    def __init__(self, members: Mapping[str, Any], text: str) -> None:
        super().__init__(members)
        self.text = text


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        request = (parser_context or {})["request"]
        charset = request.content_params.get("charset", "utf-8") if hasattr(request, "content_params") else "utf-8"
        if charset.lower() not in {"utf-8", "utf8", "us-ascii"}:
            raise UnsupportedMediaType(media_type or "", "Send the body in UTF-8.")
        raw = read_body(request.META, stream, max_body_bytes())
        try:
            value = json_text.parse(raw)
        except json_text.JsonTextError as error:
            raise ParseError(str(error), code="invalid_json") from error
        return JsonObject(value, raw.decode()) if isinstance(value, dict) else value


def max_body_bytes() -> int:
    return engine_settings().MAX_PAYLOAD_BYTES + ENVELOPE_BYTES
