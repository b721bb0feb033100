"""Read-only SQL on the shipped sales figures: table sales(month, region, product, units, revenue), one year."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

SALES = Path(__file__).resolve().parent.parent / "data" / "sales.csv"
MAX_ROWS = 50
# A question that needs more virtual machine instructions than this is not a question about two hundred rows.
MAX_INSTRUCTIONS = 5_000_000
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


def query(sql: str) -> list[list[Any]]:
    """Up to 50 rows. Raises `sqlite3.DatabaseError` for whatever is not a SELECT, and for one that takes too long."""
    with closing(sqlite3.connect(":memory:")) as connection:
        _load(connection)
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY)
        connection.set_progress_handler(lambda: 1, MAX_INSTRUCTIONS)
        return [list(row) for row in connection.execute(sql).fetchmany(MAX_ROWS)]


def _load(connection: sqlite3.Connection) -> None:
    connection.execute("create table sales (month text, region text, product text, units integer, revenue real)")
    with SALES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    connection.executemany("insert into sales values (:month, :region, :product, :units, :revenue)", rows)
    connection.commit()
    connection.execute("pragma query_only = on")
