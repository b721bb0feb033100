"""One operation's identity and its recorded state; detects divergence, and turns payloads into text and back."""

from collections.abc import Callable
from threading import get_ident
from typing import Any
from uuid import UUID

from execution_engine.core.enums import OperationAction, OperationType
from execution_engine.core.records import NO_OPTIONS, ErrorObject, OperationOptions, OperationRecord, OperationUpdate
from execution_engine.core.serdes import EXTENDED_TYPES_SERDES, SerDes, SerDesContext, SerDesError
from execution_engine.sdk import ports
from execution_engine.sdk.branch_threads import BranchThreads
from execution_engine.sdk.codec import PayloadCodec
from execution_engine.sdk.errors import NonDeterministicExecutionError, RetryableSerDesError, ValidationError
from execution_engine.sdk.plugin_host import PluginHost
from execution_engine.sdk.scope import GuardedSink, Scope
from execution_engine.sdk.sink import Sink
from execution_engine.sdk.types import ExecutionContext
from execution_engine.sdk.witness import Witness

MAX_NAME_CHARACTERS = 256  # AWS's bound of operation names


class Life:
    """Refuses durable calls after the end of the invocation, and inside a transaction that the author opened.

    A suspension unwinds through such a transaction and would roll back what the journal has recorded as done. One that was open before the
    invocation began, as in a `TestCase`, does not count. All contexts of an invocation share one.
    """

    __slots__ = ("_depth", "_thread", "is_over")

    def __init__(self) -> None:
        self.is_over = False
        self._thread = get_ident()
        self._depth = ports.transaction_depth()

    def is_in_transaction(self) -> bool:
        depth = ports.transaction_depth()
        return depth > 0 and depth > (self._depth if get_ident() == self._thread else 0)


class Invocation:
    """What all contexts of one invocation share."""

    __slots__ = (
        "arn",
        "branch_threads",
        "codec",
        "execution_context",
        "execution_id",
        "lambda_context",
        "life",
        "plugins",
        "seed",
        "sink",
        "witness",
    )

    def __init__(
        self, sink: Sink, lambda_context: Any = None, plugins: PluginHost | None = None, codec: PayloadCodec | None = None
    ) -> None:
        self.sink = sink
        self.arn = sink.execution_arn
        self.execution_id: UUID = sink.execution_id
        # A fork copies its origin's seed; a journal that knows no forks has none.
        self.seed: UUID = getattr(sink, "seed", None) or sink.execution_id
        self.execution_context = ExecutionContext(self.arn)
        self.lambda_context = lambda_context
        self.plugins = plugins
        self.codec = codec
        self.life = Life()
        self.branch_threads: list[BranchThreads] = []
        self.witness: Witness | None = getattr(sink, "witness", None)

    def guarded(self, scope: Scope) -> "Invocation":
        """The same invocation for the branches of a batch: what they write has to pass `scope`."""
        inner = Invocation(GuardedSink(self.sink, scope), self.lambda_context, self.plugins, self.codec)
        inner.branch_threads = self.branch_threads
        inner.life = self.life
        inner.witness = self.witness
        return inner

    def end(self) -> None:
        """Waits for the threads of all branches, so that an invocation never overlaps the next one."""
        self.life.is_over = True
        for threads in self.branch_threads:
            threads.join()


class OperationKey:
    """One operation that the code asks for. `found` is its record when the call began, `record()` its record now.

    Raises `NonDeterministicExecutionError` when another operation is recorded under its id. `consumed` is the id of the operation whose end
    becomes `context.now()` after the call; None leaves the time as it was.
    """

    __slots__ = ("consumed", "found", "id", "invocation", "name", "parent_id", "sink", "sub_type", "type")

    def __init__(
        self, invocation: Invocation, id: str, type: OperationType, sub_type: str, name: str | None, parent_id: str | None
    ) -> None:
        self.invocation = invocation
        self.sink = invocation.sink
        self.id = id
        self.consumed: str | None = id
        self.type = type
        self.sub_type = sub_type
        self.name = name
        self.parent_id = parent_id
        self.found = found = self.sink.operations.get(id)
        if found is not None and (
            found.name != name or found.sub_type != sub_type or found.parent_id != parent_id or found.type is not type
        ):
            self._diverged(found)
        if found is not None and invocation.plugins is not None:
            invocation.plugins.meet(found)

    def record(self) -> OperationRecord | None:
        return self.sink.operations.get(self.id)

    def recorded(self) -> OperationRecord:
        """The record of an operation that has been started."""
        return self.sink.operations[self.id]

    def update(
        self,
        action: OperationAction,
        payload: str | None = None,
        error: ErrorObject | None = None,
        replay_children: bool = False,
        options: OperationOptions = NO_OPTIONS,
    ) -> OperationUpdate:
        return OperationUpdate(
            self.id, self.type, action, self.sub_type, self.name, self.parent_id, payload, error, replay_children, options
        )

    def observed(self, body: Callable[..., Any], attempt: int | None, *, is_replay_children: bool = False) -> Callable[..., Any]:
        """`body`, with the plugins' hooks around it if there are plugins."""
        plugins = self.invocation.plugins
        if plugins is None:
            return body
        return plugins.observed(self.update(OperationAction.START), body, attempt, is_replay_children=is_replay_children)

    def encode(self, serdes: SerDes[Any] | None, value: Any) -> str:
        """The text to record. Raises `SerDesError` for any failure; a `RetryableSerDesError` passes unchanged."""
        text: str = self.write(serdes or EXTENDED_TYPES_SERDES, value, self.invocation.codec)
        return text

    def decode(self, serdes: SerDes[Any] | None, text: str | None) -> Any:
        """The inverse of `encode`; None for no text. Raises as `encode`."""
        return self.read(serdes or EXTENDED_TYPES_SERDES, text, self.invocation.codec)

    def round_trip(self, serdes: SerDes[Any] | None, value: Any) -> tuple[str, Any]:
        """The text to record, and the value read back from it, so that the first run returns what replay will return."""
        text = self.encode(serdes, value)
        if serdes is None and self.invocation.codec is None:
            return text, EXTENDED_TYPES_SERDES.read_back(value, text)
        return text, self.decode(serdes, text)

    def write(self, serdes: SerDes[Any], value: Any, codec: PayloadCodec | None = None) -> Any:
        """As `encode`, without the function's codec unless one is given: for a text that others read. None when the serdes answers None."""
        try:
            text = serdes.serialize(value, SerDesContext(self.id, self.invocation.arn))
            if text is None:
                return None
            return plain_text(text) if codec is None else codec.encode(plain_text(text))
        except SerDesError as error:
            if serdes is EXTENDED_TYPES_SERDES:
                raise SerDesError(f"Serialization failed for {self}: {error}") from None
            raise
        except RetryableSerDesError:
            raise
        except Exception as error:
            raise SerDesError(f"Serialization failed for {self}: {error}") from error

    def read(self, serdes: SerDes[Any], text: str | None, codec: PayloadCodec | None = None) -> Any:
        """As `decode`, without the function's codec unless one is given: for a text that others wrote."""
        if text is None:
            return None
        try:
            plain = text if codec is None else codec.decode(text)
            return serdes.deserialize(plain, SerDesContext(self.id, self.invocation.arn))
        except (SerDesError, RetryableSerDesError):
            raise
        except Exception as error:
            raise SerDesError(f"Deserialization failed for {self}: {error}") from error

    def __str__(self) -> str:
        return f"{self.type} {self.name!r}" if self.name else f"{self.type} {self.id}"

    def _diverged(self, found: OperationRecord) -> None:
        if self.invocation.witness is not None:
            self.invocation.witness.diverges(self.id, found)
        sides = (("sub type", found.sub_type, self.sub_type), ("parent", found.parent_id, self.parent_id))
        besides = "".join(
            f", {what} {recorded or 'none'} there and {asked or 'none'} here"
            for what, recorded, asked in sides
            if found.type is self.type and recorded != asked
        )
        raise NonDeterministicExecutionError(
            f"Non-deterministic execution: the history has {_shown(found.type, found.name)}, the code now asks for "
            f"{_shown(self.type, self.name)}{besides} (operation {self.id})",
            self.id,
        )


def checked_name(name: str | None) -> str | None:
    """The name of an operation; an empty one is none. Raises `ValidationError` for what the wire cannot carry."""
    if name is not None and not isinstance(name, str):
        raise ValidationError(f"an operation's name is a text, got {name!r}")
    if not name:
        return None
    if len(name) > MAX_NAME_CHARACTERS or not name.isascii() or not name.isprintable():
        raise ValidationError(f"an operation's name is 1 to 256 printable ASCII characters, got {name!r}")
    return plain_text(name)


def plain_text(text: str) -> str:
    """The same characters as a `str` and no subclass of it, because the database driver treats enums and the like differently.

    Raises `TypeError` for what is no text.
    """
    return text if type(text) is str else str.__str__(text)


def _shown(type_: OperationType, name: str | None) -> str:
    return f"{type_} {name!r}" if name else f"{type_} without a name"
