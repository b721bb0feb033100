"""The simulated database behaves as PostgreSQL was measured to, where the protocol leans on it."""

from typing import Any

from tests.simulation.database import Database, Mode, Transaction, execution_key
from tests.simulation.scheduler import Scheduler, Steps

KEY = execution_key(1)
OTHER = ("operation", 1, "a")


def database_with(**rows: Any) -> Database:
    database = Database(Scheduler(0))
    with Transaction(database) as transaction:
        transaction.write(KEY, rows["execution"])
        transaction.write(OTHER, rows["operation"])
        transaction.commit()
    return database


def run(steps: Steps) -> Any:
    """Runs a statement that must not wait."""
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def anything(_: Any) -> bool:
    return True


def test_a_statement_sees_what_was_committed_when_it_began() -> None:
    database = database_with(execution="old", operation="old")
    reader, writer = Transaction(database), Transaction(database)
    snapshot = reader.snapshot()
    writer.write(OTHER, "new")
    assert reader.read(OTHER, reader.snapshot()) == "old", "uncommitted"
    writer.commit()
    assert reader.read(OTHER, snapshot) == "old"
    assert reader.read(OTHER, reader.snapshot()) == "new"


def test_after_waiting_the_locked_row_is_new_and_every_other_row_is_old() -> None:
    database = database_with(execution="old", operation="old")
    holder, waiter = Transaction(database), Transaction(database)
    run(holder.lock(KEY, anything, snapshot=holder.snapshot()))
    snapshot = waiter.snapshot()
    waiting = waiter.lock(KEY, anything, snapshot=snapshot)
    assert not next(waiting).is_open
    holder.write(KEY, "new")
    holder.write(OTHER, "new")
    holder.commit()
    assert run(waiting) == "new"
    assert waiter.read(OTHER, snapshot) == "old", "the same statement"
    assert waiter.read(OTHER, waiter.snapshot()) == "new", "the next one"


def test_a_row_is_judged_again_after_waiting() -> None:
    database = database_with(execution="open", operation="")
    holder, waiter = Transaction(database), Transaction(database)
    run(holder.lock(KEY, anything, snapshot=holder.snapshot()))
    waiting = waiter.lock(KEY, lambda row: row == "open", snapshot=waiter.snapshot())
    next(waiting)
    holder.write(KEY, "closed")
    holder.commit()
    assert run(waiting) is None


def test_a_row_that_did_not_fit_the_snapshot_is_not_found_by_its_new_version() -> None:
    database = database_with(execution="closed", operation="")
    waiter, writer = Transaction(database), Transaction(database)
    snapshot = waiter.snapshot()
    writer.write(KEY, "open")
    writer.commit()
    assert run(waiter.lock(KEY, lambda row: row == "open", snapshot=snapshot)) is None


def test_a_locked_row_is_skipped_when_asked() -> None:
    database = database_with(execution="row", operation="")
    holder, hasty = Transaction(database), Transaction(database)
    run(holder.lock(KEY, anything, snapshot=holder.snapshot()))
    assert run(hasty.lock(KEY, anything, snapshot=hasty.snapshot(), skip=True)) is None


def test_key_share_lets_an_update_of_other_columns_through() -> None:
    database = database_with(execution="row", operation="")
    sharer, writer = Transaction(database), Transaction(database)
    run(sharer.lock(KEY, anything, snapshot=sharer.snapshot(), mode=Mode.KEY_SHARE))
    assert run(writer.lock(KEY, anything, snapshot=writer.snapshot())) == "row"


def test_leaving_without_commit_rolls_back_and_releases() -> None:
    database = database_with(execution="row", operation="")
    with Transaction(database) as crashed:
        run(crashed.lock(KEY, anything, snapshot=crashed.snapshot()))
        crashed.write(KEY, "lost")
    with Transaction(database) as next_one:
        assert run(next_one.lock(KEY, anything, snapshot=next_one.snapshot())) == "row"
