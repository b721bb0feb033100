from typing import Any
from uuid import UUID

from execution_engine import DurableContext
from execution_engine.sdk.forwarding import ForwardingSink
from tests.execution_engine.sdk.journal import Journal


class Forked(Journal):
    seed = UUID(int=7)


def handler(event: Any, context: DurableContext) -> None:
    """Nothing runs here."""


def test_a_forks_seed_passes_every_sink_in_front_of_its_journal() -> None:
    journal = Forked(handler)

    assert ForwardingSink(ForwardingSink(journal)).seed == UUID(int=7)


def test_a_journal_without_forks_is_its_own_seed() -> None:
    journal = Journal(handler)

    assert ForwardingSink(journal).seed == journal.execution_id
