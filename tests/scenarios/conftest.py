"""The served product that the scenarios share."""

from collections.abc import Iterator

import pytest

from tests.scenarios.program import Program
from tests.serving import Serving

PASSWORD = "demo-password-of-a-test"


@pytest.fixture(scope="package")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    data = tmp_path_factory.mktemp("scenario") / "data"
    with Serving(data, "--workers", "2", environment={"DEMO_PASSWORD": PASSWORD}) as serving:
        yield serving


@pytest.fixture(scope="package")
def program(serving: Serving) -> Program:
    return Program(serving)
