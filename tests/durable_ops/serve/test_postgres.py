"""The embedded PostgreSQL keeps what it is told, and nothing of it outlives its supervisor."""

from typing import Any

import psycopg


def test_embedded_server_is_durable(postgres: Any, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        settings = dict(
            connection.execute(
                "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')"
            ).fetchall()
        )
    assert settings == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
