"""Limits are exact whoever claims: many claimers at once, claims that end, workers that die, limits that change meanwhile.

Whoever has claimed counts the claims that are held, in one snapshot: no moment may show more than the limit. Executions with a head start
come in at the front all the while, since claimers that look at the same queue choose the same rows and could not do wrong.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.db.models import Q

from execution_engine import durable_execution
from execution_engine.core.limits import Limits
from execution_engine.core.turns import choose
from execution_engine.journal import claims, connections, limited
from execution_engine.journal.claims import Claimer
from execution_engine.models import Execution, FunctionVersion, Limit
from execution_engine.services.executions import StartOptions, start_execution
from execution_engine.services.limits import set_limits
from tests.waiting import comes, wait_until

CLAIMERS = 6
KEYS = ("a", "b", "c", None)
HELD = """
select coalesce(sum(n), 0)::int, coalesce(max(n) filter (where key is not null), 0)::int
  from (select concurrency_key as key, count(*) as n from durable_execution where claim_id is not null group by 1) held
"""


@durable_execution(name="test-contended")
def contended(event: Any, context: Any) -> None:
    """Never runs: the claimers of the test take and give back its claims."""


class Arena:
    """Claimers, each on its own connection, that claim, hold for a moment and end what they hold, or die with it."""

    def __init__(self, version: int, seed: int) -> None:
        self.version, self.seed = version, seed
        self.over = threading.Event()
        self.most, self.most_of_key = 0, 0
        self.changes = 0
        self._lock = threading.Lock()
        self.errors: list[BaseException] = []

    def run(self, expected: int) -> None:
        """Until so many have ended, or stand where they stay."""
        threads = [threading.Thread(target=self._guarded(self._claimer), args=(number,)) for number in range(CLAIMERS)]
        threads.append(threading.Thread(target=self._guarded(self._feed), args=(expected,)))
        for thread in threads:
            thread.start()
        comes(lambda: self.errors or self._is_done(expected))
        self.over.set()
        for thread in threads:
            thread.join()
        assert self.errors == []

    def _is_done(self, expected: int) -> bool:
        settled = Q(ended_at__isnull=False) | Q(line="")  # nobody is in the line of starts for long but where the bucket is empty
        return Execution.objects.filter(settled).count() >= expected

    def _guarded(self, work: Callable[..., None]) -> Callable[..., None]:
        def guarded(*args: Any) -> None:
            try:
                work(*args)
            except BaseException as error:
                self.errors.append(error)

        return guarded

    def _claimer(self, number: int) -> None:
        chance, worker = random.Random(f"{self.seed}-{number}"), uuid4()
        with connections.connect("claimer") as own:
            while not self.over.is_set():
                found = limited.claim(own, Claimer(versions=[self.version], worker=worker, limit=chance.randint(1, 5), claim_seconds=30))
                if not found:
                    time.sleep(chance.random() * 0.004)
                    continue
                self._count(own)
                time.sleep(chance.random() * 0.008)
                if chance.random() < 0.1:  # the worker dies: its claims are handed back for others
                    claims.take_over(own, dead=worker, are_suspects=False)
                    worker = uuid4()
                    continue
                for one in found:
                    self._end(own, one, chance)

    def _end(self, own: psycopg.Connection[Any], claim: claims.Claim, chance: random.Random) -> None:
        """Over for good, or suspended and due again at once."""
        is_over = claim.invocations > 1 or chance.random() < 0.7
        own.execute(
            "update durable_execution set claim_id = null, due_at = case when %(over)s then null else clock_timestamp() end,"
            " ended_at = case when %(over)s then clock_timestamp() end, status = case when %(over)s then 'SUCCEEDED' else status end"
            " where id = %(id)s and claim_id = %(claim)s",
            {"over": is_over, "id": claim.execution_id, "claim": claim.claim_id},
        )

    def _count(self, own: psycopg.Connection[Any]) -> None:
        before = self.changes
        row = own.execute(HELD).fetchone()
        assert row is not None
        with self._lock:
            if before == self.changes:
                self.most, self.most_of_key = max(self.most, row[0]), max(self.most_of_key, row[1])

    def count_anew(self) -> None:
        """Nothing that was seen until now counts, and no look that has begun by now."""
        with self._lock:
            self.changes += 1
            self.most, self.most_of_key = 0, 0

    def _feed(self, number: int) -> None:
        """Each of them due before all that are there."""
        for place in range(number):
            if self.over.is_set():
                break
            start(place, priority=10 + place)
            time.sleep(0.002)
        connection.close()


@pytest.fixture
def version(transactional_db: None) -> int:
    start_execution("test-contended", "{}", name="registers-it")
    with connections.connect("test") as own:
        own.execute("delete from durable_event")
        own.execute("delete from durable_execution")
    return FunctionVersion.objects.get(function="test-contended").id


def start(place: int, priority: int | None = None) -> None:
    options = StartOptions(concurrency_key=KEYS[place % len(KEYS)], priority=priority)
    start_execution("test-contended", "{}", options=options)


def test_many_claimers_never_exceed_limits_and_nobody_starves(version: int, count: int, seed: int) -> None:
    set_limits("test-contended", Limits(concurrency=4, per_key=2))
    arena = Arena(version, seed)

    arena.run(count)

    assert Execution.objects.filter(ended_at__isnull=True).count() == 0, f"somebody starves (seed {seed})"
    assert arena.most <= 4, f"{arena.most} claims at once (seed {seed})"
    assert arena.most_of_key <= 2, f"{arena.most_of_key} claims of one key at once (seed {seed})"
    assert arena.most > 1, "the claimers must have met"
    assert Execution.objects.filter(line__isnull=False).count() == 0


def test_no_more_start_than_the_bucket_held(version: int, seed: int) -> None:
    set_limits("test-contended", Limits(starts=1, seconds=3600, burst=7))
    arena = Arena(version, seed)

    arena.run(40)

    begun = Execution.objects.filter(invocations__gt=0).count()
    assert begun == 7, f"{begun} began (seed {seed})"
    assert Counter(Execution.objects.filter(invocations=0).values_list("line", flat=True)) == {"": 33}


def test_a_lowered_limit_holds_once_the_surplus_has_ended(version: int, seed: int) -> None:
    """Changed in the middle of the race; the turn of the row lets no claimer count by the old one after its commit."""
    set_limits("test-contended", Limits(concurrency=5))
    arena = Arena(version, seed)
    changer = threading.Timer(0.3, lambda: _lower(arena))
    changer.start()

    arena.run(120)
    changer.join()

    assert Limit.objects.get().concurrency == 1
    assert Execution.objects.filter(ended_at__isnull=True).count() == 0
    assert arena.most <= 1, f"{arena.most} claims at once after the change (seed {seed})"


def _lower(arena: Arena) -> None:
    set_limits("test-contended", Limits(concurrency=1))
    held = Execution.objects.filter(claim_id__isnull=False)
    wait_until(lambda: arena.over.is_set() or held.count() <= 1)  # what ran then has ended
    arena.count_anew()
    connection.close()


@pytest.mark.parametrize(
    ("turn", "taken"),
    [
        ("l.turn = %(turn)s", 1),
        ("l.turn + 0 * %(turn)s = l.turn", 2),  # broken: whoever has counted claims
    ],
    ids=["as-it-is", "turn-not-compared"],
)
def test_a_count_from_before_somebody_elses_claim_is_not_used(
    broken_statements: Any, monkeypatch: pytest.MonkeyPatch, version: int, turn: str, taken: int
) -> None:
    """The interleaving that the races above look for by chance, played: between a count and its claim somebody takes one at the front."""
    broken_statements.replace("claim_limited", "l.turn = %(turn)s", turn)
    set_limits("test-contended", Limits(concurrency=1))
    start(0)
    found: list[int] = []

    def look(own: psycopg.Connection[Any]) -> None:
        found.append(len(limited.claim(own, Claimer(versions=[version], worker=uuid4(), limit=5, claim_seconds=30))))

    def decide_late(*given: Any) -> Any:
        monkeypatch.setattr(limited, "choose", choose)
        choice = choose(*given)
        start(0, priority=600)
        look(second)
        return choice

    with connections.connect("first") as first, connections.connect("second") as second:
        monkeypatch.setattr(limited, "choose", decide_late)
        look(first)

    assert sum(found) == taken
