"""A database that is shared with worker processes, and a broker where one is installed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from durable_ops.serve.layout import make_private_directory
from durable_ops.serve.valkey import EmbeddedValkey
from tests.crash import ledger


@pytest.fixture
def ground(transactional_db: None, database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the test's own, with an empty ledger."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        ledger.prepare(connection)
        yield connection


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    from tests.settings import SCRATCH

    make_private_directory(SCRATCH / "sockets")
    server = EmbeddedValkey(SCRATCH / "sockets" / "valkey.sock", SCRATCH / "valkey.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def broker(valkey: EmbeddedValkey) -> str:
    return f"redis+socket://{valkey.socket_path}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"
