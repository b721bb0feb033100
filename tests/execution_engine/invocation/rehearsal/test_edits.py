"""Every edit that an execution would not survive is found, with the operation named; none of it without the check for it."""

from typing import Any

import pytest

from execution_engine.invocation.rehearsal import compare
from execution_engine.invocation.rehearsal.findings import Rehearsal, Verdict
from execution_engine.testing import rehearse
from tests.execution_engine.invocation.rehearsal.edits import EDITS, Edit
from tests.execution_engine.invocation.rehearsal.flows import SOURCES, bodies, compiled, histories


def found_by(edit: Edit) -> Rehearsal:
    return rehearse(compiled(edit.source), histories(edit.base)[edit.stage])


def test_there_are_enough() -> None:
    assert len(EDITS) >= 40 and len({edit.title for edit in EDITS}) == len(EDITS)


@pytest.mark.parametrize("base", SOURCES)
def test_the_functions_themselves_fit_at_every_stage(base: str) -> None:
    for history in histories(base):
        found = rehearse(compiled(SOURCES[base]), history)
        assert (found.verdict, found.result_differs, found.not_reached) == (Verdict.FITS, False, ()), found.summary
        answered = {record.id for record in (*found.kept, *found.waiting, *found.rerun)}
        open_contexts = {r.id for r in history.operations if r.type == "CONTEXT" and not r.is_terminal}
        assert answered | open_contexts == {record.id for record in history.operations}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.title)
def test_an_edit_is_found_and_the_operation_named(edit: Edit) -> None:
    found = found_by(edit)
    assert found.verdict is Verdict.DIVERGES, found
    first = found.divergences[0]
    names = {place.name for place in (first.recorded, first.asked) if place is not None}
    assert (first.change, edit.named in names) == (edit.change, True), str(first)
    assert edit.named in str(first)
    assert "shop.flows:" in first.where
    assert bodies == []


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.title)
def test_it_stays_found_later(edit: Edit) -> None:
    """Whatever was recorded since, and the answer is the same each time."""
    later = histories(edit.base)[edit.stage + 1 :]
    found = [rehearse(compiled(edit.source), history) for history in later]
    if edit.title not in HARMLESS_LATER:
        assert {one.verdict for one in found} <= {Verdict.DIVERGES}
    assert found == [rehearse(compiled(edit.source), history) for history in later]


HARMLESS_LATER = {
    edit.title
    for edit in EDITS
    if "item" in edit.title
    or "branch" in edit.title
    or "map" in edit.title
    or "nested context" in edit.title
    or "its context" in edit.title
}
"""What stands in a context that is over is answered from the context's record: the code in it may change then."""


@pytest.mark.parametrize("check", ["_changed", "_removed", "_inserted", "_retargeted", "_resized", "nesting"])
def test_no_check_is_there_for_nothing(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def finds_nothing(*_: Any) -> Any:
        return None if check == "nesting" else ()

    monkeypatch.setattr(compare, check, finds_nothing)
    assert any(not found_by(edit).divergences for edit in EDITS)
