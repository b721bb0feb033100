"""Which of the waiting executions of a function with limits may begin now. Pure rules, shared by workers' claims and the simulation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from execution_engine.core.limits import Limits

START_LINE = ""
"""The line for the rate of starts. Every other line is that of a concurrency key and has its name; None is the queue itself."""

QUEUE_LOOK = 500
"""How many executions of the queue, or of the line for the rate, are read when some of them may have to move to a line of their own. Fewer
would leave those unseen that stand behind them, and later ones would overtake these."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An execution that is due and that nobody has claimed. `is_new`: its next invocation is its first.

    `key` is its concurrency key. `line` is where it waits: None is the queue, `START_LINE` the line for the rate, another text that key's.
    """

    id: UUID
    due_at: datetime
    key: str | None
    is_new: bool
    line: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """What the limits allow now: `free` places, `starts` first invocations, and `per_key` claims of one concurrency key.

    `held` counts the claims that exist, by key. None means no limit.
    """

    free: int
    per_key: int | None = None
    starts: int | None = None
    held: Mapping[str | None, int] | None = None

    @classmethod
    def of(cls, limits: Limits, held: Mapping[str | None, int], most: int, starts: int | None) -> "Room":
        """The room under `limits`. `held` counts claims by key, `most` is how many the claimer can take, `starts` what the rate allows."""
        free = most if limits.concurrency is None else max(0, min(most, limits.concurrency - sum(held.values())))
        return cls(free, limits.per_key, starts, held)

    @property
    def queue_look(self) -> int:
        """How many executions of the queue have to be read."""
        return self.free if self.per_key is None and self.starts is None else QUEUE_LOOK

    @property
    def start_look(self) -> int:
        """How many executions of the line for the rate have to be read."""
        most = self.free if self.starts is None else min(self.free, self.starts)
        return most if self.per_key is None or most == 0 else QUEUE_LOOK

    @property
    def full_keys(self) -> list[str]:
        """The keys that allow no further claim."""
        return [] if self.per_key is None else [key for key, count in self._held.items() if key is not None and count >= self.per_key]

    def left_of(self, key: str) -> int:
        """How many executions of this key's line may begin."""
        return self.free if self.per_key is None else max(0, min(self.free, self.per_key - self._held.get(key, 0)))

    def fits(self, key: str | None, place: int) -> bool:
        """Whether the limit per key lets the `place`-th waiting execution of this key begin."""
        return key is None or self.per_key is None or place + self._held.get(key, 0) <= self.per_key

    @property
    def _held(self) -> Mapping[str | None, int]:
        return self.held or {}


@dataclass(frozen=True, slots=True)
class Choice:
    """`taken` begin now. `parked` move to the line that is named with them; their `due_at` stays, as it is their place in every line."""

    taken: tuple[UUID, ...]
    parked: tuple[tuple[UUID, str], ...]


def choose(room: Room, waiting: Sequence[Waiting]) -> Choice:
    """The oldest begin first. With a limit per key the keys take turns, so that no key waits behind the long line of another."""
    places: Counter[str | None] = Counter()
    starts = room.starts
    going: list[tuple[int, UUID]] = []
    parked: list[tuple[UUID, str]] = []
    for one in sorted(waiting, key=lambda one: (one.due_at, one.id)):
        places[one.key] += 1
        place = places[one.key]
        fits = room.fits(one.key, place)
        if fits and (starts is None or not one.is_new or starts > 0):
            going.append((0 if room.per_key is None else place, one.id))
            starts = starts - 1 if starts is not None and one.is_new else starts
        elif one.line is None or (one.line == START_LINE and not fits):
            parked.append((one.id, START_LINE if fits or one.key is None else one.key))
    going.sort(key=lambda pair: pair[0])
    return Choice(tuple(identity for _, identity in going[: room.free]), tuple(parked))
