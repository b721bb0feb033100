"""What a rehearsal needs to watch: it is told what the code asks for, and can stop it before anything would be done.

Only `invocation/rehearsal` provides one, as the attribute `witness` of its sink. Other sinks have none, and pay nothing for it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from execution_engine.core.enums import OperationType
from execution_engine.core.records import OperationRecord

if TYPE_CHECKING:
    from execution_engine.sdk.key import OperationKey


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation that the code asks for. `number` counts in its context from 1, branches of a batch from 0; `prefix` is the id
    under which that context's operations are numbered, None at the root."""

    id: str
    type: OperationType
    sub_type: str
    name: str | None
    parent_id: str | None
    prefix: str | None
    number: int


class Witness(Protocol):
    """Every method may raise a `SuspendExecution`, which unwinds as any other; all are called on the handler's thread."""

    def asks(self, asked: Asked) -> None:
        """Called before the request is compared with what is recorded under its id."""
        ...

    def meets(self, key: "OperationKey") -> None:
        """Called after the comparison. Raises where a body would run or something would be recorded."""
        ...

    def diverges(self, operation_id: str, found: OperationRecord) -> None:
        """What was asked last under this id differs from `found`, what is recorded; an exception tells the code so next."""
        ...

    def invokes(self, key: "OperationKey", function: str) -> None:
        """Which function a chained invoke names in the code as it is now."""
        ...

    def plans(self, batch_id: str, total: int) -> None:
        """How many branches a map or parallel has in the code as it is now."""
        ...

    def ends(self, prefix: str | None) -> None:
        """The body of a context, of the handler itself with None, has returned. Raises where that would be recorded."""
        ...
