"""What limits promise, judged at every commit by other means than claims use."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from execution_engine.core.enums import ExecutionStatus
from tests.simulation.auditor import demand
from tests.simulation.database import Database, Transaction, execution_key
from tests.simulation.limited import LIMIT, LimitRow, rate_of
from tests.simulation.rows import Row

OVERTAKEN = 1
LONG = timedelta(seconds=5)
"""So often one of the same key may be passed by who became due so much after it: a row that is locked at the moment of a claim is left
out, and a claimer that freezes acts on what it read before."""


class LimitAuditor:
    """Hooked into the database. C1: never more claims than the limit. C2: never more starts than the rate. C3: nobody starves."""

    def __init__(self, database: Database, executions: list[int]) -> None:
        self._database = database
        self._executions = executions
        self._places: dict[int, datetime] = {}
        self._overtaken: Counter[int] = Counter()
        self._starts: list[datetime] = []

    def check_commit(self, transaction: Transaction) -> None:
        before: LimitRow = self._database.latest(LIMIT)
        limit: LimitRow = transaction.writes.get(LIMIT) or before
        if rate_of(limit.limits) != rate_of(before.limits):
            self._starts.clear()
        written = {key[1]: row for key, row in transaction.writes.items() if key[0] == "execution" and row is not None}
        claimed = [number for number, row in written.items() if row.claim_id is not None and row.claim_id != self._claim_before(number)]
        if claimed:
            self._check_room(limit, {number: self._after(transaction, number) for number in self._executions}, claimed)
        for number in claimed:
            was = self._database.latest(execution_key(number))
            if was is not None and was.is_new:
                self._check_rate(limit, written[number].invocation_started_at)
            self._check_order(number, written, has_rate=limit.limits.starts is not None)
        for number, row in written.items():
            self._keep_place(number, row)

    def _after(self, transaction: Transaction, number: int) -> Row | None:
        found: Any = transaction.writes.get(execution_key(number), self._database.latest(execution_key(number)))
        return found if isinstance(found, Row) else None

    def _claim_before(self, number: int) -> Any:
        row = self._database.latest(execution_key(number))
        return None if row is None else row.claim_id

    def _check_room(self, limit: LimitRow, rows: dict[int, Row | None], claimed: list[int]) -> None:
        held = Counter(row.key for row in rows.values() if row is not None and row.claim_id is not None)
        limits = limit.limits
        demand(limits.concurrency is None or held.total() <= limits.concurrency, f"C1: {held.total()} claims of {limits.concurrency}")
        for key in {row.key for number in claimed if (row := rows[number]) is not None}:
            demand(key is None or limits.per_key is None or held[key] <= limits.per_key, f"C1: {held[key]} claims with key {key}")

    def _check_rate(self, limit: LimitRow, at: datetime) -> None:
        """In every window that ends now: what the bucket held, and what has flown into it since."""
        limits = limit.limits
        self._starts.append(at)
        if limits.starts is None:
            return
        for place, since in enumerate(self._starts):
            most = limits.burst + (at - since).total_seconds() * limits.starts / limits.seconds
            begun = len(self._starts) - place
            demand(begun <= most + 1e-6, f"C2: {begun} began in {at - since}, at most {most}")

    def _check_order(self, number: int, written: dict[int, Row], *, has_rate: bool) -> None:
        own, key = self._places.get(number), written[number].key
        if own is None:
            return
        for other, place in self._places.items():
            row = self._database.latest(execution_key(other))
            if other in written or row is None or row.key != key or place + LONG >= own:
                continue
            if not (has_rate and row.is_new):
                self._overtaken[other] += 1
                demand(self._overtaken[other] <= OVERTAKEN, f"C3: {other} was overtaken {self._overtaken[other]} times")

    def _keep_place(self, number: int, row: Row) -> None:
        """Whoever waits keeps the moment at which it became due, whatever is written meanwhile."""
        is_waiting = row.claim_id is None and row.status is ExecutionStatus.RUNNING and row.due_at is not None
        if not is_waiting:
            self._places.pop(number, None)
            self._overtaken.pop(number, None)
            return
        known = self._places.get(number)
        if known is not None and known <= self._database.scheduler.now:
            demand(row.due_at <= known, f"C3: {number} lost its place")
        else:
            self._places[number] = row.due_at
