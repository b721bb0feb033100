"""Whoever comes from Lambda changes the import line and nothing else; what the names take is compared in test_signatures.py."""

import pytest

import execution_engine

# What functions written for Lambda's Python SDK import, by the submodule it stands in there.
NAMES = {
    "config": "Duration StepConfig StepSemantics JitterStrategy ChildConfig CallbackConfig WaitForCallbackConfig",
    "context": "DurableContext StepContext WaitForCallbackContext durable_step durable_with_child_context durable_wait_for_callback",
    "execution": "InvocationStatus durable_execution",
    "exceptions": "DurableExecutionsError ValidationError InvalidStateError ExecutionError InvocationError StepInterruptedError "
    "DurableOperationError StepError ChildContextError CallbackError CallbackExternalError CallbackTimeoutError "
    "CallbackSubmitterError WaitForConditionError NonDeterministicExecutionError SuspendExecution TimedSuspendExecution "
    "CheckpointError InvokeError PluginLoadError",
    "retries": "RetryPresets RetryStrategyConfig RetryDecision create_retry_strategy LinearRetryStrategyConfig "
    "create_linear_retry_strategy with_retry WithRetryConfig",
    "serdes": "SerDes SerDesContext SerDesError RetryableSerDesError JsonSerDes PassThroughSerDes ExtendedTypeSerDes",
    "plugin": "DurableInstrumentationPlugin InvocationStartInfo InvocationEndInfo OperationStartInfo OperationEndInfo OperationChangeInfo "
    "UserFunctionStartInfo UserFunctionEndInfo PropagationInput PropagationMetadata",
    "types": "StepContext WaitForConditionCheckContext Callback",
    "lambda_service": "ErrorObject OperationStatus OperationSubType OperationType",
    "concurrency.models": "BatchItem BatchItemStatus BatchResult CompletionReason",
    "waits": "WaitForConditionConfig WaitForConditionDecision WaitStrategyConfig create_wait_strategy",
}


@pytest.mark.parametrize("name", [name for names in NAMES.values() for name in names.split()])
def test_name_is_importable_from_the_package(name: str) -> None:
    assert hasattr(execution_engine, name)


@pytest.mark.parametrize(
    ("call", "seconds"),
    [("from_seconds", 2), ("from_minutes", 120), ("from_hours", 7200), ("from_days", 172_800)],
)
def test_durations_count_whole_seconds(call: str, seconds: int) -> None:
    assert getattr(execution_engine.Duration, call)(2).to_seconds() == seconds


def test_the_retry_strategy_is_a_step_configurations_first_argument() -> None:
    strategy = execution_engine.RetryPresets.none()
    assert execution_engine.StepConfig(strategy).retry_strategy is strategy


def test_error_objects_are_made_and_written_as_there() -> None:
    error = execution_engine.ErrorObject.from_message("declined")
    assert error.to_dict() == {"ErrorMessage": "declined"}
    assert execution_engine.ErrorObject.from_dict(error.to_dict()) == error


@pytest.mark.parametrize("generic", ["SerDes", "WaitForConditionConfig", "ChildConfig"])
def test_generic_names_can_be_subscripted(generic: str) -> None:
    assert getattr(execution_engine, generic)[int]
