"""Two callers start the same names at once, each in an order of its own, as two servers that got the same order list would."""

from typing import Any

from django.db import OperationalError

from execution_engine.services.many import Start, start_each
from tests.races import arena
from tests.races.functions import complete

NAMES = 400
ROUNDS = 10


def start_both_ways(label: str) -> list[Any]:
    """What each of two callers was answered or raised."""
    starts = [Start(complete.name, '"x"', name=f"{label}-{number}") for number in range(NAMES)]
    return arena.on_threads([lambda: start_each(starts), lambda: start_each(starts[::-1])], threads=2)


def test_the_same_names_in_another_order_are_started_once(transactional_db: None) -> None:
    for number in range(ROUNDS):
        first, second = start_both_ways(str(number))
        assert [one.created for one in first] == [not other.created for other in second[::-1]]


def test_without_an_order_they_deadlock(transactional_db: None, broken_statements: Any) -> None:
    broken_statements.replace("insert_executions", "order by a.name", "")
    met = (start_both_ways(str(number)) for number in range(10 * ROUNDS))
    assert any(isinstance(answer, OperationalError) for answers in met for answer in answers)
