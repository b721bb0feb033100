"""The same histories from the served product, of our SDK and of AWS's: PostgreSQL, real workers, REST, processes that really die."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.lines import assert_history, history_lines
from tests.conformance.product import Product, Started, run_side_by_side
from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import SIDE_BY_SIDE, is_exact_of_aws
from tests.conformance.step_scenarios import CRASHES
from tests.serving import Serving

pytestmark = pytest.mark.slow
pytest.importorskip("aws_durable_execution_sdk_python")
MODULES = "tests.conformance.functions,tests.conformance.branch_functions,tests.conformance.aws_functions"
PLAYS = [
    (prefix, scenario)
    for prefix in ("", "aws-")
    for scenario in SIDE_BY_SIDE + CRASHES
    if not prefix or is_exact_of_aws(scenario)
]  # fmt: skip
# More of them would wait for the two threads, and some have a timeout of a second.
AT_ONCE = 16


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    data = tmp_path_factory.mktemp("conformance") / "data"
    environment = {"DURABLE_FUNCTION_MODULES": MODULES, "DEMO_PASSWORD": "conformance-demo"}
    # One thread per child: a function that ends its process must not take a neighbour along.
    with Serving(data, "--workers", "2", "--threads", "1", environment=environment) as serving:
        key = serving.manage("create_api_key", "--user", "admin", "--name", "conformance", "--quiet").strip()
        yield Product(serving.address, key)


@pytest.fixture(scope="module")
def played(product: Product, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Started]:
    """Every scenario once with each SDK; the crashing ones after the others and one by one."""
    markers: Path = tmp_path_factory.mktemp("markers")
    found: dict[str, Started] = {}
    calm = [(prefix + scenario.name, scenario) for prefix, scenario in PLAYS if scenario.crash is None]
    for first in range(0, len(calm), AT_ONCE):
        wave = {
            name: product.start(scenario, name, markers / name if scenario.while_running else None)
            for name, scenario in calm[first : first + AT_ONCE]
        }
        run_side_by_side(list(wave.values()))
        found |= wave
    for prefix, scenario in PLAYS:
        if scenario.crash is not None:
            name = prefix + scenario.name
            found[name] = product.start(scenario, name, markers / name)
            run_side_by_side([found[name]])
    return found


@pytest.mark.parametrize(("prefix", "scenario"), PLAYS, ids=[prefix + scenario.name for prefix, scenario in PLAYS])
def test_history_is_exact(played: dict[str, Started], prefix: str, scenario: Scenario) -> None:
    found = played[prefix + scenario.name]
    events = found.events()
    assert_history(history_lines(events), scenario.lines)
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    assert (found.execution["status"], found.execution["result"]) == (scenario.status, scenario.result)
