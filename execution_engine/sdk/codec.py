"""A last step between payload texts and the journal: compress, encrypt."""

import base64
import zlib
from typing import Protocol


class PayloadCodec(Protocol):
    """Given to `durable_execution(codec=...)`; sees the text of every result the function records.

    Not input, output, callback answers, signals and invokes, which others write or read. `decode` must also take texts
    that were recorded before the codec was there.
    """

    def encode(self, text: str) -> str: ...
    def decode(self, text: str) -> str: ...


class ZlibCodec:
    """Compresses texts of at least `minimum` characters."""

    _MARK = "zlib:"

    def __init__(self, minimum: int = 1024) -> None:
        self._minimum = minimum

    def encode(self, text: str) -> str:
        if len(text) < self._minimum and not text.startswith(self._MARK):
            return text
        return self._MARK + base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"))).decode()

    def decode(self, text: str) -> str:
        if not text.startswith(self._MARK):
            return text
        return zlib.decompress(base64.b64decode(text.removeprefix(self._MARK))).decode("utf-8", "surrogatepass")
