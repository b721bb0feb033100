"""Who watches a rehearsal: told what the code asks for, and able to stop it where something would be done.

Only `invocation/rehearsal` brings one, in the attribute `witness` of its sink; without one none of this costs anything.
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
        """Before the recorded operation of that id is compared with what is asked."""
        ...

    def meets(self, key: "OperationKey") -> None:
        """After the comparison: raises where a body would run or something would be recorded."""
        ...

    def diverges(self, operation_id: str, found: OperationRecord) -> None:
        """What was asked last under this id is not what is recorded; the code is told so by an exception next."""
        ...

    def invokes(self, key: "OperationKey", function: str) -> None:
        """Which function a chained invoke names now."""
        ...

    def plans(self, batch_id: str, total: int) -> None:
        """How many branches a map or parallel has now."""
        ...

    def ends(self, prefix: str | None) -> None:
        """The body of a context, of the handler itself with None, has returned. Raises where that would be recorded."""
        ...
