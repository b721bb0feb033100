from collections.abc import Iterator

import pytest

from execution_engine.journal.outside import CONNECTIONS


@pytest.fixture
def no_connections_left(transactional_db: None) -> Iterator[None]:
    """For tests that checkpoint from outside in this process."""
    yield
    CONNECTIONS.close()
