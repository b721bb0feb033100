"""What a rehearsal found, as values: for plans, the deploy check and tests."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from execution_engine.core.enums import InvocationStatus, OperationStatus, OperationType
from execution_engine.core.records import ErrorObject, OperationRecord


class Verdict(StrEnum):
    FITS = "fits"
    """Everything recorded is asked for again, as far as the code comes."""
    DIVERGES = "diverges"
    FAILS = "fails"
    """The code raises an error of its own where the history did not."""
    UNFINISHED = "unfinished"
    """The code did not come back in time."""
    EFFECT = "effect"
    """The code does something outside a step that a rehearsal must not do, and was stopped there."""
    MISSING = "missing"
    """This process does not know the version of the function: nobody would go on with the execution."""
    UNKNOWN = "unknown"
    """Nothing was rehearsed: the function has no replay."""

    @property
    def is_safe(self) -> bool:
        return self is Verdict.FITS

    @property
    def breaks(self) -> bool:
        """Whether an open execution would be harmed by this code."""
        return self in (Verdict.DIVERGES, Verdict.FAILS, Verdict.UNFINISHED, Verdict.MISSING)


class Change(StrEnum):
    CHANGED = "changed"
    """Another operation stands at this place."""
    REMOVED = "removed"
    """Recorded, and no longer asked for."""
    INSERTED = "inserted"
    """Asked for where the history goes on without it."""
    TARGET = "target"
    """A chained invoke names another function."""
    ITEMS = "items"
    """A map or parallel that is over had another number of branches."""


@dataclass(frozen=True, slots=True)
class Place:
    """An operation and where it stands: the `number`-th of `context` (its operation's name or id, None at the root), counted from 1,
    branches of a batch from 0. `target` is the function of a chained invoke."""

    id: str
    type: OperationType
    sub_type: str | None
    name: str | None
    number: int | None = None
    context: str | None = None
    target: str | None = None

    def __str__(self) -> str:
        kind = str(self.type) if self.sub_type in (None, "Step", "Wait", "Callback") else f"{self.type}/{self.sub_type}"
        named = f"{kind} {self.name!r}" if self.name else f"{kind} {self.id[:8]}"
        return f"{named} of {self.target}" if self.target else named

    def to_document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Place.__slots__}

    @property
    def position(self) -> str:
        inside = f" of {self.context!r}" if self.context else ""
        return f"number {self.number}{inside}" if self.number is not None else f"somewhere{inside}"


@dataclass(frozen=True, slots=True)
class Divergence:
    """`recorded` is what the history has, `asked` what the code asks for now; one of them may be absent. `where` is the place in the
    author's code, "module:line in function", "" when it is not known."""

    change: Change
    recorded: Place | None
    asked: Place | None
    where: str = ""
    detail: str = ""

    @property
    def position(self) -> str:
        place = self.recorded or self.asked
        return place.position if place else "somewhere"

    def to_document(self) -> dict[str, Any]:
        """JSON keys change, recorded, asked (objects or null), where, text."""
        recorded, asked = (None if place is None else place.to_document() for place in (self.recorded, self.asked))
        return {"change": str(self.change), "recorded": recorded, "asked": asked, "where": self.where, "text": str(self)}

    def __str__(self) -> str:
        at = f" ({self.where})" if self.where else ""
        position = self.position
        match self.change:
            case Change.REMOVED:
                return f"{position}: the history has {self.recorded}, the code no longer asks for it{at}{self.detail}"
            case Change.INSERTED:
                behind = f" before {self.recorded}" if self.recorded else ""
                return f"{self.asked.position if self.asked else position}: the code now asks for {self.asked}{behind}{at}{self.detail}"
            case _:
                return f"{position}: the history has {self.recorded}, the code now asks for {self.asked}{at}{self.detail}"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would happen if the execution went on with this code. Records are in order of their starts.

    `kept` is answered from the history. `rerun` are steps whose body runs next. `waiting` are open waits, callbacks and children that
    the code asks for again. `not_reached` is recorded and lies behind the point up to which can be seen. `next` is new work that the
    code asks for first, whose outcome nobody knows. `problem` and `where` say why it ended early.
    """

    verdict: Verdict
    divergences: tuple[Divergence, ...] = ()
    kept: tuple[OperationRecord, ...] = ()
    rerun: tuple[OperationRecord, ...] = ()
    waiting: tuple[OperationRecord, ...] = ()
    not_reached: tuple[OperationRecord, ...] = ()
    next: tuple[Place, ...] = ()
    problem: str = ""
    where: str = ""
    outcome: InvocationStatus | None = None
    result: str | None = None
    error: ErrorObject | None = None
    result_differs: bool = False
    seconds: float = field(default=0.0, compare=False)

    def to_document(self) -> dict[str, Any]:
        """JSON keys verdict, summary, diverging (list), next (operations that would be new), result_differs."""
        return {
            "verdict": str(self.verdict),
            "summary": self.summary,
            "diverging": [one.to_document() for one in self.divergences],
            "next": [one.to_document() for one in self.next],
            "result_differs": self.result_differs,
        }

    @property
    def effects(self) -> tuple[OperationRecord, ...]:
        """Steps that were begun and never ended: whatever they did outside may be done a second time."""
        return tuple(one for one in self.rerun if one.status is OperationStatus.STARTED)

    @property
    def children(self) -> tuple[OperationRecord, ...]:
        return tuple(one for one in self.waiting if one.type is OperationType.CHAINED_INVOKE)

    def without_messages(self) -> "Rehearsal":
        """For whoever may not read payloads, which the messages of errors may quote."""
        divergences = tuple(replace(one, detail="") for one in self.divergences)
        problem = self.problem if self.error is None or not self.problem else f"the code raises {self.error.type}"
        return replace(self, divergences=divergences, problem=problem, error=None, result=None)

    @property
    def summary(self) -> str:
        """One sentence for people."""
        problem = f"{self.problem} ({self.where})" if self.where else self.problem
        if self.divergences:
            return f"{self.divergences[0]}; {problem}" if problem else str(self.divergences[0])
        return problem or "fits"
