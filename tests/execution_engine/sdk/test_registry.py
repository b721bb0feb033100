"""Declaring functions: names, bounds, metadata, starting."""

import re
from datetime import timedelta
from functools import wraps
from typing import Any

import pytest

from execution_engine import DurableContext, Duration, ValidationError, durable_execution, register, start_many
from execution_engine.sdk import ports, registry
from execution_engine.sdk.registry import describe, find_function, registered_functions


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {})


def test_a_bare_decorator_takes_the_functions_name() -> None:
    @durable_execution
    def greet(event: Any, context: DurableContext) -> str:
        """Greets.

        At length.
        """
        return f"hello {event}"

    (function,) = registered_functions()
    assert (function.name, function.version, function.kind, function.is_durable) == ("greet", "1", "durable", True)
    assert (function.description, function.source.splitlines()[0]) == ("Greets.", "@durable_execution")
    assert (function.execution_timeout, function.invocation_timeout, function.retention_days) == (None, None, None)
    assert greet("world", None) == "hello world"
    assert (greet.__name__, greet.__doc__) == ("greet", greet.__wrapped__.__doc__)


def test_arguments_are_kept_in_seconds_and_days() -> None:
    @durable_execution(
        name="expense-approval",
        version="2",
        execution_timeout=Duration.from_days(30),
        invocation_timeout={"minutes": 5},
        retention=timedelta(days=90),
        memory_mb=512,
        boto3_client=object(),
        plugins=["plugin"],
    )
    def handler(event: Any, context: DurableContext) -> None: ...

    function = find_function("expense-approval", "2")
    assert function is handler.definition
    assert (function.execution_timeout, function.invocation_timeout, function.retention_days) == (2_592_000, 300, 90)
    assert (function.memory_mb, function.plugins) == (512, ("plugin",))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"execution_timeout": 0}, "execution_timeout must be at least 1 second and at most 31622400 seconds, got 0"),
        ({"execution_timeout": {"days": 367}}, "at most 31622400 seconds, got 31708800"),
        ({"retention": timedelta(hours=1)}, "retention must be at least 86400 seconds and at most 7776000 seconds, got 3600"),
        ({"retention": {"days": 91}}, "at most 7776000"),
        ({"invocation_timeout": {"days": 2}}, "invocation_timeout"),
        ({"name": "has space"}, "'has space'"),
        ({"name": "x" * 65}, "1 to 64"),
        ({"version": ""}, "version"),
        ({"memory_mb": 64}, "from 128 to 10240, got 64"),
    ],
)
def test_values_outside_their_bounds_are_refused_with_the_limit(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        durable_execution(**arguments)(lambda event, context: None) if "name" in arguments else durable_execution(name="n", **arguments)(
            lambda event, context: None
        )
    assert registered_functions() == []


def test_async_functions_are_refused() -> None:
    async def handler(event: Any, context: DurableContext) -> None: ...

    with pytest.raises(ValidationError, match="without async"):
        durable_execution(handler)


def test_versions_stand_side_by_side_and_the_last_registered_is_the_default() -> None:
    for version in ("1", "2"):
        register(lambda event, context: None, name="f", version=version)
    register(lambda event, context: None, name="e")
    assert [(function.name, function.version) for function in registered_functions()] == [("e", "1"), ("f", "1"), ("f", "2")]
    assert find_function("f").version == "2"
    assert find_function("f", "1").version == "1"
    assert find_function("f", "3") is None
    assert find_function("g") is None


def test_registering_a_decorated_function_keeps_what_it_declared() -> None:
    @durable_execution(execution_timeout=60, retention={"days": 2})
    def handler(event: Any, context: DurableContext) -> None: ...

    function = register(handler, name="other", invocation_timeout=5)
    assert (function.execution_timeout, function.retention_days, function.invocation_timeout) == (60, 2, 5)
    assert function.handler is handler.__wrapped__


def test_kinds_of_functions() -> None:
    assert register(name="remote", url="http://127.0.0.1:9000/").kind == "remote"
    assert register(lambda event, context: 1, name="plain", durable=False).kind == "plain"
    assert register(lambda event, context: 1, name="ours").kind == "durable"


def test_a_remote_function_has_an_address_and_nothing_of_a_handler() -> None:
    function = register(name="remote", url="https://billing.example/durable/", per_tenant=True, durable=False)
    assert function.url == "https://billing.example/durable"
    assert (function.per_tenant, function.is_durable) == (True, False)
    assert (function.source, function.fingerprint, function.input_schema) == ("", "", "")
    assert function.description == "Runs at https://billing.example/durable"


@pytest.mark.parametrize(
    "url",
    [
        "", "billing.example", "//billing.example", "ftp://billing.example", "file:///etc/passwd", "http://", "http://:80", "http://h:0",
        "http://h:x", "http://user:secret@h", "http://h/?a=1", "http://h/#a", "http://h/a b", "http://h\\@other", "http://h/\r\nX: y",
        "http://é", "http://h/" + "x" * 2048,
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="remote function's url"):
        register(name="remote", url=url)


def test_a_function_runs_in_one_place() -> None:
    with pytest.raises(ValidationError, match="one of the two places"):
        register(lambda event, context: 1, name="both", url="http://127.0.0.1:9000")
    with pytest.raises(ValidationError, match="needs a handler"):
        register(name="none")


def test_describe_registers_nothing() -> None:
    def handler(event: Any, context: DurableContext) -> None: ...

    assert describe(handler).name == "handler"
    assert describe(lambda event, context: None).name == "-lambda-"
    assert registered_functions() == []


def test_a_name_that_two_modules_use_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    def one(event: Any, context: DurableContext) -> None: ...

    def two(event: Any, context: DurableContext) -> None: ...

    register(one, name="same")
    register(two, name="same")
    assert "function same version 1 is now" in caplog.text


class Recorder:
    """Takes the place of the engine's launcher and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def start(self, function: str, input_text: str | None, **options: Any) -> Any:
        self.asked.append((function, input_text, options))

    def run(self, function: str, input_text: str | None, **options: Any) -> Any:
        self.asked.append((function, input_text, options))

    def start_many(self, function: str, input_texts: Any, **options: Any) -> Any:
        self.asked.append((function, input_texts, options))


def test_starting_goes_through_the_launcher_with_json_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports._Bound, "launcher", launcher := Recorder())

    @durable_execution(name="f", version="3")
    def handler(event: Any, context: DurableContext) -> None: ...

    handler.start({"a": 1}, name="order-1", attributes={"k": "v"})
    handler.start(version="2", concurrency_key="k", priority=5)
    handler.run([1])
    start_many(handler, [1, None])
    start_many("g", ["x"])
    assert launcher.asked == [
        ("f", '{"a": 1}', {"version": "3", "name": "order-1", "attributes": {"k": "v"}, "concurrency_key": None, "priority": None}),
        ("f", None, {"version": "2", "name": None, "attributes": None, "concurrency_key": "k", "priority": 5}),
        ("f", "[1]", {"version": "3", "name": None}),
        ("f", ["1", None], {"version": "3"}),
        ("g", ['"x"'], {"version": None}),
    ]
    with pytest.raises(ValidationError, match="is JSON"):
        handler.start({1, 2})


def test_without_the_engine_starting_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports._Bound, "launcher", None)

    @durable_execution
    def handler(event: Any, context: DurableContext) -> None: ...

    with pytest.raises(Exception, match="INSTALLED_APPS"):
        handler.start()


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (lambda event: event, "a function is called with (event, context); greet takes (event)"),
        (lambda: 1, "greet takes ()"),
        (lambda event, context, database: 1, "greet takes (event, context, database)"),
        (lambda event, context: (yield), "a durable function returns its result; greet is a generator function"),
    ],
)
def test_a_handler_of_another_shape_is_refused_where_it_is_declared(handler: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        durable_execution(name="greet")(handler)
    assert registered_functions() == []


def test_a_decorator_of_the_author_may_add_arguments() -> None:
    def with_database(handler: Any) -> Any:
        @wraps(handler)
        def call(event: Any, context: Any) -> Any:
            return handler(event, context, "database")

        return call

    @durable_execution
    @with_database
    def greet(event: Any, context: DurableContext, database: str) -> str:
        return database

    assert greet({}, None) == "database"
