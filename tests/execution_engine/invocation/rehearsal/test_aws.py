"""Functions of AWS's own SDK are rehearsed in the same way: edits found, refactorings not, nothing done."""

import threading
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from execution_engine.invocation.rehearsal.findings import Change, Rehearsal, Verdict
from execution_engine.invocation.rehearsal.rehearse import rehearse
from execution_engine.sdk.registry import RegisteredFunction, describe
from execution_engine.testing import DurableExecutionTestClient, RecordedExecution

aws = pytest.importorskip("aws_durable_execution_sdk_python")

SOURCE = """
@durable_execution(plugins=[Plugins()])
def handler(event, context):
    order = context.step(lambda _: {"items": 3}, name="load")
    if order["items"] > 2:
        context.step(lambda _: done.append("check"), name="check")
    context.wait(Duration.from_seconds(60), name="cool-off")
    for number in range(2):
        context.step(lambda _: number, name="ship")

    def group(child):
        child.step(lambda _: 1, name="inside")
        child.wait(Duration.from_seconds(30), name="nap")
        return child.step(lambda _: 2, name="last inside")

    context.run_in_child_context(group, name="group")
    mapped = context.map([1, 2], lambda child, item, index, items: child.step(lambda _: item, name="item"), name="all")
    answer = context.wait_for_callback(lambda callback_id, _: done.append(callback_id), name="confirm")
    return [order, answer, len(mapped.get_results())]
"""
done: list[Any] = []


class Plugins:
    def create_plugin(self, info: Any) -> Any:
        done.append("plugin")
        raise RuntimeError("no plugin today")


def compiled(source: str) -> RegisteredFunction:
    from aws_durable_execution_sdk_python import config

    names = {"__name__": "shop.lambda", "done": done, "Plugins": Plugins, "durable_execution": aws.durable_execution}
    names["Duration"] = config.Duration
    exec(compile(source, "shop/lambda.py", "exec"), names)
    function = describe(names["handler"])
    assert function.kind == "aws"
    return function


@cache
def histories() -> list[RecordedExecution]:
    execution = DurableExecutionTestClient().start_execution(compiled(SOURCE).handler, {})
    found = [execution.record()]
    for seconds in (60, 30):
        execution.skip_time(seconds)
        found.append(execution.record())
    execution.get_pending_callbacks()[0].complete('"yes"')
    assert execution.status == "SUCCEEDED", execution.describe()
    return [*found, execution.record()]


def rehearsed(old: str, new: str, stage: int) -> Rehearsal:
    history = histories()[stage]
    done.clear()
    assert SOURCE.count(old) == 1
    return rehearse(compiled(SOURCE.replace(old, new)), history)


@pytest.mark.parametrize("stage", range(4))
def test_the_function_itself_fits_and_nothing_is_done(stage: int) -> None:
    before = set(threading.enumerate())
    found = rehearsed("order, answer", "order, answer", stage)
    assert (found.verdict, found.not_reached, found.result_differs, done) == (Verdict.FITS, (), False, []), found.summary
    assert set(threading.enumerate()) <= before


EDITS = [
    ('name="load"', 'name="fetch"', 0, Change.CHANGED, "load"),
    ("order = context.step", 'context.step(lambda _: 0, name="trace")\n    order = context.step', 0, Change.CHANGED, "load"),
    ("> 2:", "> 20:", 0, Change.CHANGED, "check"),
    (
        'context.wait(Duration.from_seconds(60), name="cool-off")',
        'context.step(lambda _: 0, name="cool-off")',
        0,
        Change.CHANGED,
        "cool-off",
    ),
    ("range(2)", "range(1)", 1, Change.CHANGED, "ship"),
    ("range(2)", "range(3)", 1, Change.CHANGED, "group"),
    ('        child.wait(Duration.from_seconds(30), name="nap")\n', "        return 1\n", 1, Change.REMOVED, "nap"),
    ("    def group(child):\n", '    return "early"\n\n    def group(child):\n', 1, Change.REMOVED, "group"),
    ('name="all")', 'name="each")', 2, Change.CHANGED, "all"),
    (
        'context.wait_for_callback(lambda callback_id, _: done.append(callback_id), name="confirm")',
        'context.create_callback(name="confirm").result()',
        2,
        Change.CHANGED,
        "confirm",
    ),
    ("    return [order", '    context.step(lambda _: done.append("mail"), name="mail")\n    return [order', 3, Change.INSERTED, "mail"),
]


@pytest.mark.parametrize(("old", "new", "stage", "change", "named"), EDITS)
def test_edits_are_found_and_the_operation_named(old: str, new: str, stage: int, change: Change, named: str) -> None:
    found = rehearsed(old, new, stage)
    assert (found.verdict, done) == (Verdict.DIVERGES, []), found
    first = found.divergences[0]
    assert (first.change, named in str(first)) == (change, True), str(first)


@pytest.mark.parametrize("stage", range(4))
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lambda _: {", "lambda _: done.append(1) or {"),
        ("for number in range(2):", "for number in [5, 6]:"),
        ("> 2:", ">= 3:"),
        ("    def group(child):\n", "    print('here')\n\n    def group(child):\n        'What it does.'\n"),
        ("Duration.from_seconds(60)", "Duration.from_minutes(1)"),
    ],
)
def test_refactorings_raise_no_alarm(old: str, new: str, stage: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert (rehearsed(old, new, stage).verdict, done, capsys.readouterr().out) == (Verdict.FITS, [], "")


def test_new_work_is_named_and_not_begun() -> None:
    found = rehearsed("    def group(child):\n", "    def group(child):\n", 1)
    assert [one.name for one in found.waiting] == ["nap"]
    cut = histories()[0]
    first = rehearse(compiled(SOURCE), replace(cut, operations=cut.operations[:1]))
    assert ([one.name for one in first.next], first.verdict, done) == (["check"], Verdict.FITS, [])


def test_one_that_hangs_is_given_up() -> None:
    history = histories()[0]
    hangs = compiled(SOURCE.replace("    if order", "    while True:\n        pass\n    if order"))
    found = rehearse(hangs, history, seconds=0.2)
    assert (found.verdict, found.where.startswith("shop.lambda:")) == (Verdict.UNFINISHED, True)
