"""The same histories from the served product: PostgreSQL, real workers, REST, processes that really die."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.lines import assert_history, history_lines
from tests.conformance.product import Product, Started, run_side_by_side
from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import SIDE_BY_SIDE
from tests.conformance.step_scenarios import CRASHES
from tests.serving import Serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    data = tmp_path_factory.mktemp("conformance") / "data"
    environment = {"DURABLE_FUNCTION_MODULES": "tests.conformance.functions", "DEMO_PASSWORD": "conformance-demo"}
    # One thread per child: a function that ends its process must not take a neighbour along.
    with Serving(data, "--workers", "2", "--threads", "1", environment=environment) as serving:
        key = serving.manage("create_api_key", "--user", "admin", "--name", "conformance", "--quiet").strip()
        yield Product(serving.address, key)


@pytest.fixture(scope="module")
def played(product: Product, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Started]:
    """Every scenario once; the crashing ones after the others and one by one."""
    markers: Path = tmp_path_factory.mktemp("markers")
    started = [product.start(scenario, markers / scenario.name if scenario.while_running else None) for scenario in SIDE_BY_SIDE]
    run_side_by_side(started)
    for scenario in CRASHES:
        crashing = product.start(scenario, markers / scenario.name)
        run_side_by_side([crashing])
        started.append(crashing)
    return {one.scenario.name: one for one in started}


@pytest.mark.parametrize("scenario", SIDE_BY_SIDE + CRASHES, ids=lambda scenario: scenario.name)
def test_history_is_exact(played: dict[str, Started], scenario: Scenario) -> None:
    found = played[scenario.name]
    events = found.events()
    assert_history(history_lines(events), scenario.lines)
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    assert (found.execution["status"], found.execution["result"]) == (scenario.status, scenario.result)
