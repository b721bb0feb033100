"""The last step between the text of a payload and the journal, such as compression or encryption."""

import base64
import zlib
from typing import Protocol


class PayloadCodec(Protocol):
    """Transforms every text that a function records; given to `durable_execution(codec=...)`.

    It does not see the input and the output of the execution, answers of callbacks, signals, and payloads of invokes: others write or read
    those. `decode` must also accept texts that were recorded before there was a codec.
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
