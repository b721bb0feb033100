"""What functions call in AWS's SDK, they can call here with the same arguments: compared with the installed package itself."""

import importlib
import inspect
from typing import Any

import pytest

import execution_engine

MODULES = ("config", "context", "exceptions", "execution", "filesystem_serdes", "plugin", "preview", "retries", "serdes", "types", "waits")

# The insides of AWS's SDK, which functions, their tests and examples do not touch.
INSIDES = {
    "AwsErrorMetadata", "AwsErrorObj", "BotoClientError", "BytesCodec", "CheckpointErrorCategory", "Codec", "ContainerCodec",
    "DateTimeCodec", "DecimalCodec", "DurableApiErrorCategory", "DurableExecutionArn", "DurableExecutionInvocationInput",
    "DurableExecutionInvocationInputWithClient", "EncodedValue", "GeneratePreview", "InitialExecutionState", "InvocationStatus",
    "OperationContext", "PluginExecutor", "PluginHost", "PrimitiveCodec", "SummaryGenerator", "TypeCodec", "TypeTag", "UuidCodec",
    "deserialize", "handle_checkpoint_error", "serialize",
}  # fmt: skip

# Made by the SDK and never by authors, or protocols without a constructor: their parameters are nobody's business.
NOT_CONSTRUCTED = {
    "Callback", "CheckpointError", "DurableContext", "ExecutionContext", "GetExecutionStateError", "LambdaContext", "LoggerInterface",
    "InvocationEndInfo",
}  # fmt: skip

# What ours takes beyond AWS's, always as keywords or after AWS's own; everything else must be equal.
ADDITIONS = {
    "StepConfig": {"atomic"},
    "durable_execution": {"name", "version", "execution_timeout", "invocation_timeout", "retention", "memory_mb", "codec"},
    "InvocationInfo": {"start_time"},
    "InvocationStartInfo": {"start_time"},
    "StepContext": {"make_logger"},
    "WaitForCallbackContext": {"attempt", "make_logger"},
    "WaitForConditionCheckContext": {"make_logger"},
    "register_operation_error": {"rebuild"},
    "DurableContext.create_callback": {"timeout", "heartbeat_timeout"},
    "DurableContext.step": {"retry"},
    "DurableContext.wait": {"units"},
    "DurableContext.wait_for_callback": {"timeout", "heartbeat_timeout", "retry"},
}
NOT_METHODS_OF_AUTHORS = {"DurableContext": {"create_child_context", "from_lambda_context", "is_virtual"}}


def public() -> dict[str, Any]:
    found = {}
    for module in MODULES:
        for name, value in vars(importlib.import_module(f"aws_durable_execution_sdk_python.{module}")).items():
            package, _, home = str(getattr(value, "__module__", "")).rpartition(".")
            is_own = package == "aws_durable_execution_sdk_python" and home in MODULES and getattr(value, "__name__", "") == name
            if is_own and not name.startswith("_") and name not in INSIDES and (inspect.isclass(value) or inspect.isfunction(value)):
                found.setdefault(name, value)
    return found


AWS = public()


def parameters(call: Any) -> list[inspect.Parameter] | None:
    try:
        return [p for p in inspect.signature(call).parameters.values() if p.name != "self"]
    except (TypeError, ValueError):
        return None


def differences(name: str, theirs: Any, ours: Any) -> list[str]:
    """A call that AWS's signature allows must be allowed by ours, with the same meaning of each place and word."""
    wanted, given = parameters(theirs), parameters(ours)
    if wanted is None or given is None or any(p.kind is p.VAR_POSITIONAL for p in wanted):
        return []
    added = [p for p in given if p.name not in {w.name for w in wanted}]
    found = [f"takes {p.name} more" for p in added if p.name not in ADDITIONS.get(name, set())]
    found += [f"asks for {p.name}" for p in added if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    by_name = {p.name: p for p in given}
    for place, parameter in enumerate(wanted):
        match = by_name.get(parameter.name)
        if match is None:
            found.append(f"has no {parameter.name}")
            continue
        if parameter.default is not parameter.empty and match.default is match.empty:
            found.append(f"needs {parameter.name}")
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and given.index(match) != place:
            found.append(f"takes {parameter.name} in another place")
    return found


def test_the_names_were_found() -> None:
    assert len(AWS) > 90
    assert {"DurableContext", "StepConfig", "with_retry", "build_preview", "create_wait_strategy"} <= set(AWS)


@pytest.mark.parametrize("name", sorted(AWS))
def test_name_takes_what_awss_takes(name: str) -> None:
    ours = getattr(execution_engine, name)
    assert inspect.isclass(ours) == inspect.isclass(AWS[name])
    if name not in NOT_CONSTRUCTED:
        assert differences(name, AWS[name], ours) == []


@pytest.mark.parametrize("name", ["DurableContext", "Callback", "BatchResult", "Duration", "CompletionConfig", "RetryDecision",
                                  "RetryPresets", "WaitForConditionDecision", "DurableInstrumentationPlugin"])  # fmt: skip
def test_methods_take_what_awss_take(name: str) -> None:
    theirs = AWS.get(name) or getattr(importlib.import_module("aws_durable_execution_sdk_python"), name)
    ours = getattr(execution_engine, name)
    methods = {method for method in dir(theirs) if not method.startswith("_")} - NOT_METHODS_OF_AUTHORS.get(name, set())
    assert methods - set(dir(ours)) == set()
    found = {}
    for method in methods:
        if inspect.isroutine(getattr(theirs, method)):
            found[method] = differences(f"{name}.{method}", getattr(theirs, method), getattr(ours, method))
    assert {method: what for method, what in found.items() if what} == {}
    assert found or name == "Callback"
