"""Ids that people meet."""

from execution_engine.core.identifiers import new_callback_id


def test_callback_ids_can_be_given_to_commands() -> None:
    ids = {new_callback_id() for _ in range(2_000)}
    assert len(ids) == 2_000
    assert not any(one.startswith("-") for one in ids)
