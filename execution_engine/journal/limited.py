"""Claims of functions with limits: read, decide (`core/turns.py`), and claim if nobody else did meanwhile.

Invariant: every claim of a limited function is made by `claim_limited`, which raises the limit's `turn`, and only while it is the one
that was read when the claims were counted; a count can therefore only be too high. `insert_executions` inserts claimed executions
only of functions without limits. Nothing stays locked between two statements: a process that freezes holds up nobody.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg

from execution_engine.core.limits import Limits
from execution_engine.core.turns import START_LINE, Choice, Room, Waiting, choose
from execution_engine.journal.arrays import pack
from execution_engine.journal.claims import TAKEOVER_GRACE_SECONDS, Claim, Claimer
from execution_engine.journal.statements import statement

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class _Turn:
    """A limited function for which somebody waits, as `read_turns` found it."""

    function: str
    versions: list[int]
    number: int
    limits: Limits
    held: Mapping[str | None, int]
    tokens: float
    tokens_at: datetime
    last_line: str
    has_lines: bool
    now: datetime

    def room(self, limit: int) -> Room:
        return Room.of(self.limits, self.held, limit, self.limits.starts_left(self.tokens, self.tokens_at, self.now))


def claim(connection: Connection, claimer: Claimer) -> list[Claim]:
    """As `claims.claim`, for functions that have limits: at most `limit`, and none of a function whose turn another process took.

    One statement when nobody waits or nobody may begin; two or three more for each function of which somebody may.
    """
    turns = _read_turns(connection, claimer)
    found: list[Claim] = []
    for turn in random.sample(turns, len(turns)):  # a flood of one function must not always come first
        room = turn.room(claimer.limit - len(found))
        if room.free > 0:
            found += _take(connection, turn, room, claimer)
    return found


def _read_turns(connection: Connection, claimer: Claimer) -> list[_Turn]:
    params = asdict(claimer) | {"versions": list(claimer.versions), "grace_seconds": TAKEOVER_GRACE_SECONDS}
    turns = []
    for *row, keys, numbers in connection.execute(statement("read_turns"), params, binary=True):
        held = dict(zip(keys or (), numbers or (), strict=True))
        turns.append(_Turn(row[0], row[1], row[2], Limits(*row[3:8]), held, *row[8:]))
    return turns


def _take(connection: Connection, turn: _Turn, room: Room, claimer: Claimer) -> list[Claim]:
    lines, last_line = _next_lines(connection, turn, room) if turn.has_lines else (set(), "")
    choice = choose(room, _read_waiting(connection, turn, room, lines, claimer))
    if claimer.suspects:  # they stay in the queue until a quiet child takes them one by one
        choice = Choice(choice.taken, ())
    if not choice.taken and not choice.parked:
        return []
    params = {
        **asdict(claimer),
        "function": turn.function,
        "turn": turn.number,
        "ids": pack("uuid", [*choice.taken, *(identity for identity, _ in choice.parked)]),
        "lines": pack("text", [*[None] * len(choice.taken), *(line for _, line in choice.parked)]),
        "last_line": last_line,
    }
    text = f"{statement('claim_limited')} {statement('claim_found')}"
    return [Claim(*row) for row in connection.execute(text, params, binary=True)]


def _next_lines(connection: Connection, turn: _Turn, room: Room) -> tuple[set[tuple[int, str]], str]:
    """The lines (version, key) whose turn it is, and the line after which the next look begins. After the last line comes the first."""
    params = {"versions": turn.versions, "full": pack("text", room.full_keys), "enough": room.free}
    found: set[tuple[int, str]] = set()
    for behind in dict.fromkeys((turn.last_line, "")):
        rows = connection.execute(statement("next_lines"), params | {"last_line": behind}, binary=True).fetchall()
        found |= {(version, line) for version, line, _ in rows}
        ends = {version: line for version, line, met in rows if met >= room.free}
        if len(ends) == len(turn.versions):
            break
    return found, min(ends.values(), default="")


def _read_waiting(connection: Connection, turn: _Turn, room: Room, lines: Collection[tuple[int, str]], claimer: Claimer) -> list[Waiting]:
    places: list[tuple[int, str | None, int]] = [(version, None, room.queue_look) for version in turn.versions]
    if turn.has_lines:
        places += [(version, START_LINE, room.start_look) for version in turn.versions]
        places += [(version, line, room.left_of(line)) for version, line in lines]
    params = {
        "versions": pack("int8", [version for version, _, _ in places]),
        "lines": pack("text", [line for _, line, _ in places]),
        "most": pack("int8", [most for _, _, most in places]),
        "before": min(room.free, room.per_key or room.free) if turn.has_lines else 0,
        "suspects": claimer.suspects,
        "now": claimer.now,
    }
    return [Waiting(*row) for row in connection.execute(statement("read_waiting"), params, binary=True)]
