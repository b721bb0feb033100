"""Reads the bytes of a request's body, bounded before they are read, for every door that takes JSON or payloads."""

from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from durable_ops.web import slow_bodies
from execution_engine.core.errors import CommandError

READ_ON = 4
"""Up to so many times the limit a body is read to its end before it is refused; a larger one is not worth the time."""

DROPPED_AT_ONCE = 64 * 1024


class BodyTooLargeError(CommandError):
    code = "body_too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.", limit_bytes=limit)


class LengthRequiredError(CommandError):
    """A chunked body. WSGI applications would read it as empty, so it must not be taken for no body."""

    code = "length_required"
    status = 411

    def __init__(self) -> None:
        super().__init__("Send the body with Content-Length, not in chunks.")


class BodyEncodingError(CommandError):
    code = "unsupported_media_type"
    status = 415

    def __init__(self) -> None:
        super().__init__("Send the body without Content-Encoding.")


class BodyCutShortError(CommandError):
    """The connection ended before the announced length was read."""

    code = "invalid_json"

    def __init__(self, found: int, announced: int) -> None:
        super().__init__(f"The body ended after {found} of {announced} bytes.")


class BodyTooSlowError(CommandError):
    code = "body_too_slow"
    status = 408

    def __init__(self, found: int, announced: int) -> None:
        seconds = int(slow_bodies.BODY_SECONDS)
        super().__init__(f"{found} of {announced} bytes came within {seconds} seconds.", limit_seconds=seconds)


class RefuseFiles(FileUploadHandler):
    """Ends the reading of a form at its first file: what came before it is the form."""

    def new_file(self, *_: Any, **__: Any) -> NoReturn:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never called, but asked for by the base."""

    def file_complete(self, file_size: int) -> None:
        """As above."""


def refuse_chunks(meta: Mapping[str, Any]) -> None:
    """Raises LengthRequiredError."""
    if meta.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequiredError


def read_body(meta: Mapping[str, Any], stream: IO[bytes], limit: int) -> bytes:
    """The whole body, at most `limit` bytes. `meta` is the WSGI environment.

    Raises LengthRequiredError, BodyEncodingError, BodyTooLargeError (from the announced length, before anything is stored),
    BodyCutShortError, and BodyTooSlowError where the server passes its socket on, as gunicorn does.
    """
    refuse_chunks(meta)
    if meta.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise BodyEncodingError
    announced = int(meta.get("CONTENT_LENGTH") or 0)
    if announced > limit:
        if announced <= limit * READ_ON:
            _read_on(meta, stream, announced)
        raise BodyTooLargeError(limit)
    with slow_bodies.bounded(meta.get("gunicorn.socket")) as reading:
        raw = stream.read(limit + 1)
    if reading is not None and reading.is_over:
        raise BodyTooSlowError(len(raw), announced)
    if len(raw) > limit:
        raise BodyTooLargeError(limit)
    if len(raw) < announced:
        raise BodyCutShortError(len(raw), announced)
    return raw


def _read_on(meta: Mapping[str, Any], stream: IO[bytes], announced: int) -> None:
    """Reads and drops the rest. A client that still writes when the connection is closed never learns why, and some crash."""
    left = announced
    with slow_bodies.bounded(meta.get("gunicorn.socket")):
        while left > 0 and (chunk := stream.read(min(left, DROPPED_AT_ONCE))):
            left -= len(chunk)
