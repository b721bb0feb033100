"""What is known of one version of a function, and the bounds of what may be declared."""

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from execution_engine.sdk.codec import PayloadCodec
from execution_engine.sdk.durations import MAX_WAIT_SECONDS, DurationLike, bounded_seconds
from execution_engine.sdk.errors import ValidationError
from execution_engine.sdk.fingerprint import fingerprint_of, source_of
from execution_engine.sdk.input_schema import schema_of

Handler = Callable[..., Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION = re.compile(r"[A-Za-z0-9$_.-]{1,128}")
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9:/._~%!$&'()*+,;=@\[\]-]+")
_DAY = 86_400
MAX_RETENTION_DAYS = 90
MAX_INVOCATION_SECONDS = 86_400
MAX_URL_CHARACTERS = 2048


@dataclass(frozen=True)
class RegisteredFunction:
    """One version of a function. Times are whole seconds, None for the engine's default.

    `kind`: "durable" (ours; `handler(event, DurableContext)`), "aws" (decorated with AWS's SDK), "plain" (not durable), or
    "remote" (called at `url`).
    """

    name: str
    version: str
    handler: Handler
    execution_timeout: int | None = None
    invocation_timeout: int | None = None
    retention_days: int | None = None
    memory_mb: int = 1024
    is_durable: bool = True
    per_tenant: bool = False
    url: str | None = None
    kind: str = "durable"
    plugins: tuple[Any, ...] = ()
    codec: PayloadCodec | None = None

    @cached_property
    def source(self) -> str:
        return "" if self.url else source_of(self.handler)

    @cached_property
    def fingerprint(self) -> str:
        return "" if self.url else fingerprint_of(self.handler)

    @cached_property
    def input_schema(self) -> str:
        """JSON Schema of the input as text, "" when nothing is known of it."""
        schema = None if self.url else schema_of(self.handler)
        return json.dumps(schema, default=str) if schema else ""

    @property
    def description(self) -> str:
        """The first paragraph of the handler's docstring, or where it runs."""
        if self.url:
            return f"Runs at {self.url}"
        return (inspect.getdoc(self.handler) or "").split("\n\n")[0]


def define(
    handler: Handler,
    name: str,
    version: str,
    *,
    execution_timeout: DurationLike | None = None,
    invocation_timeout: DurationLike | None = None,
    retention: DurationLike | None = None,
    memory_mb: int = 1024,
    plugins: tuple[Any, ...] = (),
    codec: PayloadCodec | None = None,
) -> RegisteredFunction:
    """Checks what a decorator or `register` declares. Raises `ValidationError`, which names the limit and the value."""
    if not _NAME.fullmatch(name):
        raise ValidationError(f"a function's name is 1 to 64 characters of A-Z a-z 0-9 _ -, got {name!r}")
    _check_shape(handler, name)
    if not _VERSION.fullmatch(version):
        raise ValidationError(f"a function's version is 1 to 128 characters of A-Z a-z 0-9 $ _ . -, got {version!r}")
    if not 128 <= memory_mb <= 10_240:
        raise ValidationError(f"memory_mb must be from 128 to 10240, got {memory_mb}")
    kept = _optional(retention, "retention", _DAY, MAX_RETENTION_DAYS * _DAY)
    return RegisteredFunction(
        name=name,
        version=version,
        handler=handler,
        execution_timeout=_optional(execution_timeout, "execution_timeout", 1, MAX_WAIT_SECONDS),
        invocation_timeout=_optional(invocation_timeout, "invocation_timeout", 1, MAX_INVOCATION_SECONDS),
        retention_days=None if kept is None else -(-kept // _DAY),
        memory_mb=memory_mb,
        plugins=plugins,
        codec=codec,
    )


def _check_shape(handler: Handler, name: str) -> None:
    """Told when it is declared, not by its first execution."""
    if inspect.iscoroutinefunction(handler):
        raise ValidationError(f"durable functions are written without async; {name} is a coroutine function")
    if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
        raise ValidationError(f"a durable function returns its result; {name} is a generator function")
    try:
        # What it really takes: a decorator of the author's may add arguments to the function that it wraps.
        signature = inspect.signature(handler, follow_wrapped=False)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise ValidationError(f"a function is called with (event, context); {name} takes {signature}") from None


def _optional(value: DurationLike | None, what: str, low: int, high: int) -> int | None:
    return None if value is None else bounded_seconds(value, what, low=low, high=high)


def checked_url(url: str) -> str:
    """The address of a remote function, without a slash at its end. Only addresses that are registered in code are ever called.

    Raises `ValidationError` for anything but `http(s)://host[:port][/path]`.
    """
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or "@" in parts.netloc or not _URL_CHARACTERS.fullmatch(url):
        raise ValidationError(f"a remote function's url is http(s)://host[:port][/path], without credentials or query, got {url!r}")
    if len(url) > MAX_URL_CHARACTERS:
        raise ValidationError(f"a remote function's url has at most {MAX_URL_CHARACTERS} characters, got {len(url)}")
    return url.rstrip("/")


def kind_of(handler: Any, durable: bool, url: str | None) -> str:
    """The `RegisteredFunction.kind` of a handler."""
    if url is not None:
        return "remote"
    if not durable:
        return "plain"
    made_in = getattr(handler, "__globals__", {}).get("__name__", "")
    return "aws" if made_in.startswith("aws_durable_execution_sdk_python") else "durable"
