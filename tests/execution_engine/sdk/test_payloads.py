"""What happens to payload texts on their way: files, previews, codecs; and bodies that are coroutines."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from execution_engine import (
    DurableContext,
    FieldMatchMode,
    FileSystemPathEncoding,
    FileSystemSerDes,
    FileSystemSerDesConfig,
    FileSystemSerDesMode,
    MapConfig,
    PreviewConfig,
    PreviewField,
    PreviewMode,
    RetryPolicy,
    SerDesContext,
    SerDesError,
    StepConfig,
    StepContext,
    WaitForConditionConfig,
    WaitForConditionDecision,
    ZlibCodec,
    build_preview,
    durable_execution,
)
from execution_engine.sdk import registry
from tests.execution_engine.sdk.journal import Journal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:shop:1/durable-execution/order 7/0190"
CONTEXT = SerDesContext("abc", ARN)
ORDER = {"id": 7, "card": {"number": "4111", "name": "Ada"}, "lines": [{"sku": "mug", "price": 5}]}


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {})


def test_every_value_goes_into_a_file_of_its_operation(tmp_path: Path) -> None:
    serdes = FileSystemSerDes(str(tmp_path))
    text = serdes.serialize({"a": (1, 2)}, CONTEXT)
    path = tmp_path / "shop" / "order%207" / "0190" / "abc.json"
    assert json.loads(text) == {"file": str(path)}
    assert path.read_text() == '{"t":"m","v":{"a":{"t":"t","v":[{"t":"i","v":1},{"t":"i","v":2}]}}}'
    assert serdes.deserialize(text, CONTEXT) == {"a": (1, 2)}
    assert [found.name for found in path.parent.iterdir()] == ["abc.json"]


def test_small_values_stay_where_they_are_when_only_large_ones_overflow(tmp_path: Path) -> None:
    serdes = FileSystemSerDes(str(tmp_path), FileSystemSerDesConfig(FileSystemSerDesMode.OVERFLOW))
    assert serdes.serialize("small", CONTEXT) == '{"data": "\\"small\\""}'
    large = serdes.serialize("x" * 300_000, CONTEXT)
    assert list(json.loads(large)) == ["file"]
    assert serdes.deserialize(large, CONTEXT) == "x" * 300_000
    assert serdes.deserialize('{"data": "\\"small\\""}', CONTEXT) == "small"


def test_hashed_paths_have_a_fixed_length(tmp_path: Path) -> None:
    serdes = FileSystemSerDes(str(tmp_path), FileSystemSerDesConfig(path_encoding=FileSystemPathEncoding.HASH))
    path = Path(json.loads(serdes.serialize(1, CONTEXT))["file"])
    assert [len(part) for part in path.relative_to(tmp_path).parts] == [64, 69]


def test_a_path_outside_the_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "secret.json"
    outside.write_text('"secret"')
    serdes = FileSystemSerDes(str(tmp_path / "payloads"))
    with pytest.raises(SerDesError):
        serdes.deserialize(json.dumps({"file": str(tmp_path / "payloads" / ".." / "secret.json")}), CONTEXT)


def test_a_step_replays_from_its_file_and_shows_a_preview(tmp_path: Path) -> None:
    preview = PreviewConfig(PreviewMode.INCLUDE_ALL, mask=[PreviewField("number")])
    serdes = FileSystemSerDes(str(tmp_path), FileSystemSerDesConfig(generate_preview=lambda value: build_preview(value, preview)))

    def handler(event: Any, context: DurableContext) -> Any:
        order = context.step("load", lambda: ORDER, config=StepConfig(serdes=serdes))
        context.wait(seconds=1)
        return order

    journal = Journal(handler)
    assert json.loads(journal.run().result) == ORDER
    recorded = json.loads(journal.named("load").payload)
    assert recorded["preview"] == {"id": 7, "card": {"number": "***", "name": "Ada"}, "lines": {"sku": "mug", "price": 5}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (PreviewConfig(PreviewMode.EXCLUDE_ALL), None),
        (PreviewConfig(PreviewMode.EXCLUDE_ALL, include=[PreviewField("id")]), {"id": 7}),
        (PreviewConfig(PreviewMode.EXCLUDE_ALL, include=[PreviewField("card")]), {"card": {"number": "4111", "name": "Ada"}}),
        (PreviewConfig(PreviewMode.EXCLUDE_ALL, include=[PreviewField("name", FieldMatchMode.PATH)]), None),
        (PreviewConfig(PreviewMode.EXCLUDE_ALL, include=[PreviewField("card.name", FieldMatchMode.PATH)]), {"card": {"name": "Ada"}}),
        (PreviewConfig(PreviewMode.EXCLUDE_ALL, mask=[PreviewField("card")]), {"card": "***"}),
        (PreviewConfig(PreviewMode.INCLUDE_ALL, exclude=[PreviewField("card"), PreviewField("lines")]), {"id": 7}),
        (PreviewConfig(PreviewMode.INCLUDE_ALL, exclude=[PreviewField("number")], mask=[PreviewField("number")]), {
            "id": 7, "card": {"name": "Ada"}, "lines": {"sku": "mug", "price": 5},
        }),
        (PreviewConfig(PreviewMode.INCLUDE_ALL, max_preview_bytes=10), {"id": 7}),
        (PreviewConfig(PreviewMode.INCLUDE_ALL, max_preview_bytes=3), None),
    ],
)  # fmt: skip
def test_previews_show_what_they_may(config: PreviewConfig, expected: Any) -> None:
    assert build_preview(ORDER, config) == expected


def test_only_dicts_have_previews_and_dotted_names_are_left_out() -> None:
    everything = PreviewConfig(PreviewMode.INCLUDE_ALL)
    assert build_preview([1], everything) is None
    assert build_preview({"a.b": 1, "c": 2}, everything) == {"c": 2}


def test_a_codec_sees_what_the_function_records_and_nothing_else() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback("ask")
        large = context.step("large", lambda: "x" * 5000)
        small = context.step("small", lambda: "y")
        child = context.run_in_child_context("child", lambda inner: [large])
        items = context.map([1, 2], lambda inner, item, *_: "z" * 2000 + str(item), "map", MapConfig()).get_results()
        return [len(large), small, child[0] == large, [item[-1] for item in items], callback.result()]

    journal = Journal(durable_execution(name="coded", codec=ZlibCodec())(handler))
    journal.invoke()
    journal.answer("zlib: not mine")
    expected = '[5000, "y", true, ["1", "2"], "zlib: not mine"]'
    assert journal.invoke().result == expected
    assert journal.invoke().result == expected
    assert len(journal.named("large").payload) < 100
    assert journal.named("small").payload == '"y"'
    assert journal.named("map").payload.startswith("zlib:")


def test_a_codec_can_be_added_while_executions_are_open() -> None:
    def handler(event: Any, context: DurableContext) -> int:
        value = context.step("s", lambda: "x" * 5000)
        context.wait(seconds=1)
        return len(value)

    journal = Journal(handler)
    journal.invoke()
    journal.skip()
    journal.function = durable_execution(name="coded", codec=ZlibCodec())(handler).definition
    assert journal.invoke().result == "5000"
    assert ZlibCodec().decode(ZlibCodec().encode("zlib:" + "\ud800")) == "zlib:\ud800"


def test_coroutine_functions_are_bodies_too() -> None:
    async def ask(step: StepContext) -> int:
        await asyncio.sleep(0)
        if step.attempt == 1:
            raise ValueError("first")
        return step.attempt

    async def check(state: int) -> int:
        return state + 1

    def handler(event: Any, context: DurableContext) -> list[int]:
        stop = WaitForConditionConfig(lambda state, attempt: WaitForConditionDecision.stop_polling(), 4)
        return [context.step("ask", ask, retry=RetryPolicy()), context.wait_for_condition(check, stop)]

    assert Journal(handler).run().result == "[2, 5]"


def test_a_coroutine_body_runs_where_a_loop_runs_already() -> None:
    async def one() -> int:
        await asyncio.sleep(0)
        return 1

    async def program() -> str | None:
        return Journal(lambda event, context: context.step("one", one)).run().result

    with ThreadPoolExecutor(1) as thread:  # the test's own thread may have a loop, too
        assert thread.submit(asyncio.run, program()).result() == "1"
