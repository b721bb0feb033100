"""An execution that is due while somebody else holds its row: waited for, without burning a core on asking."""

import time
from collections import Counter
from typing import Any

import psycopg
import pytest

from execution_engine.journal import claims
from execution_engine.models import Execution
from tests.execution_engine.conftest import make_runtime
from tests.races import arena, functions
from tests.waiting import wait_until

HELD_SECONDS = 0.5


def test_a_locked_due_row_is_asked_for_with_pauses(transactional_db: None, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: Counter[str] = Counter()
    claim = claims.claim

    def counted(*arguments: Any, **keywords: Any) -> Any:
        looks["made"] += 1
        return claim(*arguments, **keywords)

    monkeypatch.setattr(claims, "claim", counted)
    given = arena.races(1, 1)[0]
    arena.start(functions.complete, given)
    runtime = make_runtime()
    with psycopg.connect(database_url) as caller:
        caller.execute("select 1 from durable_execution for update")
        runtime.start()
        wait_until(lambda: looks["made"])
        began = time.monotonic()
        time.sleep(HELD_SECONDS)
        assert Execution.objects.get().status == "RUNNING"
        held, seconds = looks["made"], time.monotonic() - began
    try:
        assert arena.wait_for_rest(1) == 0
    finally:
        runtime.stop()
    assert held <= seconds / 0.005
