"""What changes nothing of what is asked for raises no alarm, at any stage of an execution."""

import pytest

from execution_engine.invocation.rehearsal.findings import Verdict
from execution_engine.testing import rehearse
from tests.execution_engine.invocation.rehearsal.flows import bodies, compiled, histories
from tests.execution_engine.invocation.rehearsal.refactors import REFACTORS, all_refactored

TEXTS = all_refactored()


def test_there_are_enough_and_each_does_something() -> None:
    assert len(TEXTS) >= 200
    used = " ".join(TEXTS)
    assert [one.__name__ for one in REFACTORS if one.__name__.replace("_", " ") not in used] == []


@pytest.mark.parametrize("title", TEXTS)
def test_a_pure_refactoring_raises_no_alarm(title: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    base, text = TEXTS[title]
    function = compiled(text)
    for history in histories(base):
        found = rehearse(function, history)
        assert found.verdict is Verdict.FITS, f"{found.summary}\n{text}"
        assert not found.not_reached
    assert (bodies, capsys.readouterr().out, caplog.records) == ([], "", [])
