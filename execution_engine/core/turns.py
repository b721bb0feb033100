"""Who goes and who waits when a limited function takes its turn; the claims of workers and the simulation decide by it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from execution_engine.core.limits import Limits

START_LINE = ""
"""The line of those that wait for the rate of starts; every other line is a concurrency key. None is the queue."""

QUEUE_LOOK = 500
"""So many of the queue, or of the line of starts, are looked at when some of them may have to leave it for a line: who stands behind
those must not be passed by later ones meanwhile."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An execution that is due and that nobody has; `is_new` is its first invocation."""

    id: UUID
    due_at: datetime
    key: str | None
    is_new: bool
    line: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """What the limits let through now: `free` places, `starts` first invocations, `per_key` claims of one key of which `held` are
    taken. None is no limit."""

    free: int
    per_key: int | None = None
    starts: int | None = None
    held: Mapping[str | None, int] | None = None

    @classmethod
    def of(cls, limits: Limits, held: Mapping[str | None, int], most: int, starts: int | None) -> "Room":
        """`held` counts claims by key, `most` is what the claimer can take, `starts` what the bucket holds."""
        free = most if limits.concurrency is None else max(0, min(most, limits.concurrency - sum(held.values())))
        return cls(free, limits.per_key, starts, held)

    @property
    def queue_look(self) -> int:
        return self.free if self.per_key is None and self.starts is None else QUEUE_LOOK

    @property
    def start_look(self) -> int:
        most = self.free if self.starts is None else min(self.free, self.starts)
        return most if self.per_key is None or most == 0 else QUEUE_LOOK

    @property
    def full_keys(self) -> list[str]:
        """Keys of whose line nobody can go."""
        return [] if self.per_key is None else [key for key, count in self._held.items() if key is not None and count >= self.per_key]

    def left_of(self, key: str) -> int:
        """How many of its line could go."""
        return self.free if self.per_key is None else max(0, min(self.free, self.per_key - self._held.get(key, 0)))

    def fits(self, key: str | None, place: int) -> bool:
        """Whether the `place`-th of those that wait with this key may go as far as its key is concerned."""
        return key is None or self.per_key is None or place + self._held.get(key, 0) <= self.per_key

    @property
    def _held(self) -> Mapping[str | None, int]:
        return self.held or {}


@dataclass(frozen=True, slots=True)
class Choice:
    """`parked` leave the queue, or the line of starts, for the line named. Their `due_at` stays: it is their place."""

    taken: tuple[UUID, ...]
    parked: tuple[tuple[UUID, str], ...]


def choose(room: Room, waiting: Sequence[Waiting]) -> Choice:
    """Within a key the oldest goes first, and with a limit per key the keys take turns, so that none waits for the long line of another."""
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
