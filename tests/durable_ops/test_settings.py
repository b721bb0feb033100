"""Unsafe production settings stop the start and are named; local starts need nothing."""

import os
import subprocess
import sys
from pathlib import Path

SAFE = {
    "DATABASE_URL": "postgresql://app@127.0.0.1:1/app",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "k" * 60,
    "ALLOWED_HOSTS": "ops.example.com",
    "PUBLIC_URL": "https://ops.example.com",
}


SECURE = "from django.conf import settings; print(settings.SESSION_COOKIE_SECURE)"


def load(repository: Path, environment: dict[str, str], script: str = SECURE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=repository,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "durable_ops.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_safe_production_settings_are_accepted(repository: Path) -> None:
    answer = load(repository, SAFE)
    assert (answer.returncode, answer.stdout.strip()) == (0, "True"), answer.stderr


def test_every_unsafe_setting_is_named(repository: Path) -> None:
    answer = load(repository, {"DATABASE_URL": SAFE["DATABASE_URL"], "ALLOWED_HOSTS": "*"})
    assert answer.returncode != 0
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "CELERY_BROKER_URL"):
        assert f"- {name}" in answer.stderr


def test_plain_http_needs_to_be_asked_for(repository: Path) -> None:
    plain = {**SAFE, "PUBLIC_URL": "http://ops.example.com"}
    assert "ALLOW_HTTP" in load(repository, plain).stderr
    assert load(repository, {**plain, "ALLOW_HTTP": "1"}).stdout.strip() == "False"


def test_local_start_needs_no_settings(repository: Path, tmp_path: Path) -> None:
    assert load(repository, {"DATA_DIR": str(tmp_path)}).returncode == 0


def test_other_databases_are_refused(repository: Path) -> None:
    assert "must start with postgresql://" in load(repository, {**SAFE, "DATABASE_URL": "sqlite:///x"}).stderr


def test_wrong_numbers_are_named_with_their_bounds(repository: Path, tmp_path: Path) -> None:
    answer = load(repository, {"DATA_DIR": str(tmp_path), "DURABLE_THREADS": "0"})
    assert "DURABLE_THREADS=0 is outside 1 to 1024" in answer.stderr


def test_a_database_that_vanishes_is_noticed(repository: Path) -> None:
    script = "from django.db import connection; print(sorted(connection.get_connection_params().items(), key=str))"
    own = {**SAFE, "DATABASE_URL": f"{SAFE['DATABASE_URL']}?connect_timeout=2"}
    answer = load(repository, own, script).stdout
    for name, value in {"connect_timeout": 2, "keepalives_idle": 10, "tcp_user_timeout": 15_000}.items():
        assert f"({name!r}, {value})" in answer
