"""What every test can ask for.

- `db` / `@pytest.mark.django_db(transaction=True)`: Django's test database on a real PostgreSQL that lives as long as the session.
- `database_url`: address of that test database, migrated, for code that opens its own psycopg connections or starts processes.
- `postgres`: the embedded server itself (None with DATABASE_URL), for tests that stop and start it.
- `page`: a real browser; with `live_server` and `@pytest.mark.django_db(transaction=True)`.
- `steady_hour`: the hour, and with it the day, the month and the year, will not end during the test.
- `is_long`: whether the long versions of the fault tests were asked for (`make crash`); `figures(title, **values)`: a line for the end.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.waiting import PATIENCE

# pytest-playwright keeps an event loop on the main thread, where Django would refuse its ORM otherwise.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

LONG = ("approvals", "browser", "conformance", "crash", "races", "scenarios")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A cluster of this session, with fsync on as in production; several sessions can run side by side."""
    from durable_ops.serve.layout import make_private_directory  # settings must be loaded first
    from durable_ops.serve.postgres import EmbeddedPostgres
    from tests.settings import EXTERNAL_DATABASE, SCRATCH

    if EXTERNAL_DATABASE:
        yield None
        return
    make_private_directory(SCRATCH / "sockets")
    server = EmbeddedPostgres(SCRATCH / "postgres", SCRATCH / "sockets", SCRATCH / "postgres.log")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres: Any, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """pytest-django asks for this before it makes the test database, which on DATABASE_URL is another one for each worker."""


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The session's cluster is thrown away as a whole; dropping its database first would wait for every bell still connected."""
    from tests.settings import EXTERNAL_DATABASE

    return not EXTERNAL_DATABASE


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """What one test's pages remembered is nothing to the next."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture(scope="session")
def database_url(django_db_setup: None) -> str:
    """Address of the test database, for connections outside Django."""
    from django.db import connections

    settings = connections["default"].settings_dict
    host = settings["HOST"] or settings["OPTIONS"].get("host", "")
    password = f":{quote(settings['PASSWORD'], safe='')}" if settings["PASSWORD"] else ""
    user = f"{quote(settings['USER'], safe='')}{password}@" if settings["USER"] else ""
    if host.startswith("/"):
        return f"postgresql://{user}/{settings['NAME']}?host={quote(host)}"
    return f"postgresql://{user}{host}:{settings['PORT'] or 5432}/{settings['NAME']}"


@pytest.fixture
def steady_hour() -> None:
    """Waits for the next hour when this one is about to end."""
    now = datetime.now(UTC)
    left = (now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) - now).total_seconds()
    if left < 30:
        time.sleep(left)


@pytest.fixture
def context(context: Any) -> Any:
    """A browser's session that waits for a slow machine too."""
    context.set_default_timeout(1000 * PATIENCE)
    return context


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium when there is one; without a sandbox, which root and containers do not have."""
    from playwright.sync_api import expect

    expect.set_options(timeout=1000 * PATIENCE)
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    arguments = {**browser_type_launch_args, "args": ["--no-sandbox", "--disable-dev-shm-usage"]}
    return {**arguments, "executable_path": found} if found else arguments


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-faults", action="store_true", help="the long versions of the fault tests")


def pytest_configure(config: pytest.Config) -> None:
    """Drawn examples are the same in every run and take the time they take; the long versions look elsewhere each time."""
    from hypothesis import HealthCheck, settings

    is_long = config.getoption("--all-faults")
    slow = [HealthCheck.too_slow]
    settings.register_profile("tests", derandomize=not is_long, database=None, deadline=None, suppress_health_check=slow, print_blob=True)
    settings.load_profile("tests")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where two workers share the files, the long ones come first: nobody waits for a last long one alone."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        tests = Path(__file__).parent
        items.sort(key=lambda item: item.path.relative_to(tests).parts[0] not in LONG)


def pytest_unconfigure() -> None:
    if settings := sys.modules.get("tests.settings"):
        shutil.rmtree(settings.SCRATCH, ignore_errors=True)


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--all-faults"))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[..., None]:
    """What a test measured, shown after the last test."""
    kept = request.node.user_properties  # travels with the report, from a worker of pytest-xdist too
    return lambda title, **values: kept.append(("figures", json.dumps({"figures": title, **values})))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, line in report.user_properties if getattr(report, "when", "") == "call" else ():
            if name == "figures":
                terminalreporter.write_line(line)
