"""The engine's own connections, whatever the address of the database says besides."""

import pytest
from django.db import connection

from execution_engine.journal.connections import connect

pytestmark = pytest.mark.django_db


def test_what_the_settings_say_of_a_connection_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"keepalives_idle": 7, "tcp_user_timeout": 9_000, "application_name": "shop"}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {**connection.settings_dict["OPTIONS"], **said})
    with connect("looks") as opened:
        found = opened.info.get_parameters()
    names = ("keepalives_idle", "keepalives_count", "tcp_user_timeout", "application_name")
    assert [found[name] for name in names] == ["7", "3", "9000", "durable:looks"]
