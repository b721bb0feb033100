"""Claims of a function with limits, and people who change them. Their SQL is `journal/sql/limited` and `limits`.

The claims of a look are counted and chosen without a lock; `turn` says whether that still holds when they are written.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.limits import Limits
from execution_engine.core.turns import START_LINE, Choice, Room, Waiting, choose
from tests.simulation.database import Fits, Transaction, execution_key
from tests.simulation.protocol import CLAIM, Protocol
from tests.simulation.rows import Row
from tests.simulation.scheduler import Steps
from tests.simulation.variants import Variant

LIMIT = ("limit", 0, "")
KEYS = ("a", "a", "b", None)


@dataclass(frozen=True, slots=True)
class LimitRow:
    limits: Limits
    turn: int
    tokens: float
    tokens_at: datetime
    last_line: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a claimer read, and what it chose by that."""

    turn: int
    choice: Choice
    last_line: str


def random_limits(random: Random) -> Limits:
    starts = random.choice((None, None, 1, 2))
    return Limits(random.choice((None, 1, 1, 2)), random.choice((None, 1)), starts, random.choice((2, 10)), random.choice((1, 2)))


class Turns:
    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.variant = protocol.variant

    def look(self, executions: Sequence[int], most: int) -> Steps:
        """Three statements without a lock; what they read may be old when the claim is written."""
        held = (yield from self._held(executions)) if self.variant is Variant.COUNTED_BEFORE_TURN else None
        transaction = self.protocol.begin()
        row: LimitRow = transaction.read(LIMIT, transaction.snapshot())
        starts = row.limits.starts_left(row.tokens, row.tokens_at, self.protocol.now)
        yield
        if held is None:
            held = yield from self._held(executions)
        room = Room.of(row.limits, held, most, starts)
        rows = [row for _, row in self._rows(executions) if _is_waiting(row, self.protocol.now)]
        yield
        keys, last_line = self._next_lines(row, room, sorted({one.line for one in rows if one.line}))
        choice = choose(room, _oldest(rows, room, keys, sees_lines=self._sees_lines(row.limits)))
        return Look(row.turn, choice, last_line)

    def take(self, look: Look, claimed_ids: set[UUID]) -> Steps:
        """The one statement that locks: first the limit, then what was chosen. Returns the claimed rows by number."""
        claimed: dict[int, Row] = {}
        with self.protocol.begin() as transaction:
            snapshot, now = transaction.snapshot(), self.protocol.now
            yield
            row = yield from transaction.lock(LIMIT, self._is_turn(look), snapshot=snapshot, skip=True)
            if row is None:
                self.protocol.met["turn lost"] += 1
                return claimed
            lines = {identity.int: line for identity, line in look.choice.parked}
            for number in sorted({*lines, *(identity.int for identity in look.choice.taken)}):
                one = yield from transaction.lock(execution_key(number), lambda one: _is_waiting(one, now), snapshot=snapshot, skip=True)
                if one is None:
                    continue
                if number in lines:
                    self._park(transaction, number, one, lines[number], now)
                else:
                    identity = UUID(int=self.protocol.scheduler.random.getrandbits(128))
                    claimed[number] = replace(one, claim_id=identity, invocation_started_at=now, due_at=now + CLAIM, line=None)
            yield
            for number, one in claimed.items():
                claimed_ids.add(one.claim_id)
                transaction.write(execution_key(number), replace(one, is_new=False))
            if claimed:
                transaction.write(LIMIT, self._turned(row, look, sum(one.is_new for one in claimed.values()), now))
            yield
            transaction.commit()
        yield
        return claimed

    def change(self, limits: Limits) -> Steps:
        """A person sets all limits at once."""
        with self.protocol.begin() as transaction:
            row: LimitRow = yield from transaction.lock(LIMIT, lambda _: True, snapshot=transaction.snapshot())
            yield
            turn = row.turn + (self.variant is not Variant.CHANGE_KEEPS_TURN)
            changed = replace(row, limits=limits, turn=turn)
            if rate_of(limits) != rate_of(row.limits):
                changed = replace(changed, tokens=limits.burst, tokens_at=self.protocol.now)
            self.protocol.met["limit changed" if limits.is_any else "limit lifted"] += 1
            transaction.write(LIMIT, changed)
            yield
            transaction.commit()

    def _rows(self, executions: Sequence[int]) -> list[tuple[int, Row]]:
        transaction = self.protocol.begin()
        found = ((number, transaction.read(execution_key(number), transaction.snapshot())) for number in executions)
        return [(number, row) for number, row in found if row is not None]

    def _held(self, executions: Sequence[int]) -> Steps:
        held = Counter(row.key for _, row in self._rows(executions) if row.claim_id is not None)
        yield
        return held

    def _sees_lines(self, limits: Limits) -> bool:
        return self.variant is not Variant.LIFTED_LINES_UNSEEN or limits.is_any

    def _next_lines(self, row: LimitRow, room: Room, lines: Sequence[str]) -> tuple[set[str], str]:
        """As `journal/limited` goes round: behind the last line the first ones follow."""
        found: set[str] = set()
        for behind in (row.last_line,) if self.variant is Variant.FIRST_LINES_UNSEEN else dict.fromkeys((row.last_line, "")):
            with_room = [line for line in lines if line > behind and line not in room.full_keys]
            found |= set(with_room[: room.free])
            if len(with_room) >= room.free > 0:
                return found, with_room[room.free - 1]
        return found, ""

    def _is_turn(self, look: Look) -> Fits:
        return lambda row: row.turn == look.turn or self.variant is Variant.TURN_NOT_COMPARED

    def _park(self, transaction: Transaction, number: int, row: Row, line: str, now: datetime) -> None:
        self.protocol.met["waits in the line of its key" if line else "waits in the line of starts"] += 1
        due_at = now if self.variant is Variant.PLACE_LOST_IN_LINE else row.due_at
        transaction.write(execution_key(number), replace(row, line=line, due_at=due_at))

    def _turned(self, row: LimitRow, look: Look, begun: int, now: datetime) -> LimitRow:
        limits, tokens = row.limits, 0.0
        if limits.starts is not None:
            tokens = min(limits.burst, row.tokens + (now - row.tokens_at).total_seconds() * limits.starts / limits.seconds)
            tokens -= 0 if self.variant is Variant.BUCKET_NOT_EMPTIED else begun
        return replace(row, turn=row.turn + 1, tokens=tokens, tokens_at=now, last_line=look.last_line)


def rate_of(limits: Limits) -> tuple[int | None, int, int]:
    return limits.starts, limits.seconds, limits.burst


def _is_waiting(row: Row, now: datetime) -> bool:
    return row.claim_id is None and row.status is ExecutionStatus.RUNNING and row.due_at is not None and row.due_at <= now


def _oldest(rows: Sequence[Row], room: Room, keys: set[str], *, sees_lines: bool) -> list[Waiting]:
    """The oldest of the queue, of the line of starts, of each line whose turn it is, and of those of the keys that the queue has."""
    found = _standing(rows, None, room.queue_look)
    if not sees_lines:
        return found
    met = {one.key for one in found if one.key is not None}
    for line in {START_LINE} | keys | met:
        found += _standing(rows, line, room.start_look if line == START_LINE else room.left_of(line))
    return found


def _standing(rows: Sequence[Row], line: str | None, most: int) -> list[Waiting]:
    standing = sorted((row for row in rows if row.line == line), key=lambda row: (row.due_at, row.id))
    return [Waiting(row.id, row.due_at, row.key, row.is_new, row.line) for row in standing[:most]]
