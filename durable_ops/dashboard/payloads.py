"""A payload made ready for a page: pretty, cut, with size and addresses of the whole."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from durable_ops.dashboard.formats import PRETTY_BYTES, coloured_json, pretty_json


@dataclass(frozen=True, slots=True)
class Payload:
    """`shown` is escaped markup or plain text; `url` answers the stored text unchanged."""

    key: str
    label: str
    shown: SafeString | str
    size: int
    is_json: bool
    is_cut: bool
    url: str


def make_payload(key: str, label: str, text: str | None, url: str) -> Payload | None:
    if text is None:
        return None
    pretty = pretty_json(text)
    shown = text[:PRETTY_BYTES] if pretty is None else coloured_json(pretty)
    return Payload(key, label, shown, len(text.encode()), pretty is not None, len(text) > PRETTY_BYTES, url)
