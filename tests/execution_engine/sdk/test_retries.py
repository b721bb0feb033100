"""Strategies and policies: delays, filters, presets."""

import re
from datetime import timedelta
from typing import Any

import pytest

from execution_engine import (
    Duration,
    JitterStrategy,
    LinearRetryStrategyConfig,
    RetryDecision,
    RetryPolicy,
    RetryPresets,
    RetryStrategyConfig,
    ValidationError,
    create_linear_retry_strategy,
    create_retry_strategy,
)
from execution_engine.sdk.retries import RetryStrategy, as_strategy

ERROR = ValueError("rate exceeded")


def delays(strategy: RetryStrategy, error: Exception = ERROR) -> list[int]:
    found: list[int] = []
    while (decision := strategy(error, len(found) + 1)).should_retry:
        found.append(decision.delay_seconds)
    return found


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (RetryPresets.none(), []),
        (RetryPresets.critical(), [1, 2, 3, 4, 6, 8, 12, 18, 26]),
        (RetryPresets.linear(), [1, 2, 3, 4, 5]),
        (RetryPresets.fixed(), [5, 5, 5, 5]),
        (RetryPresets.fixed(timedelta(seconds=7)), [7, 7, 7, 7]),
        (RetryPolicy(max_attempts=5, initial_interval=2, max_interval=30), [2, 4, 8, 16]),
        (RetryPolicy(max_attempts=4, initial_interval={"minutes": 1}, backoff=10, max_interval={"hours": 1}), [60, 600, 3600]),
        (create_retry_strategy(config=RetryStrategyConfig(4, Duration(1), Duration(5), 3, JitterStrategy.NONE)), [1, 3, 5]),
        (
            create_linear_retry_strategy(LinearRetryStrategyConfig(4, 1, 3, 6, JitterStrategy.NONE)),
            [1, 4, 6],
        ),
        (RetryPolicy(max_attempts=3, initial_interval=0), [1, 1]),
    ],
)
def test_delays(strategy: RetryStrategy, expected: list[int]) -> None:
    assert delays(strategy) == expected


@pytest.mark.parametrize(
    ("strategy", "attempts", "first"),
    [
        (RetryPresets.default(), 6, range(1, 6)),
        (RetryPresets.transient(), 3, range(3, 6)),
        (RetryPresets.resource_availability(), 5, range(1, 6)),
        (create_retry_strategy(), 3, range(1, 6)),
    ],
)
def test_jitter_stays_within_its_bounds(strategy: RetryStrategy, attempts: int, first: range) -> None:
    for _ in range(50):
        found = delays(strategy)
        assert len(found) == attempts - 1
        assert found[0] in first


@pytest.mark.parametrize(
    ("filters", "error", "is_retried"),
    [
        ({}, ERROR, True),
        ({"retryable_errors": ["exceeded"]}, ERROR, True),
        ({"retryable_errors": ["denied"]}, ERROR, False),
        ({"retryable_errors": [re.compile("^rate")]}, ERROR, True),
        ({"retryable_error_types": [ValueError]}, ERROR, True),
        ({"retryable_error_types": [OSError]}, ERROR, False),
        ({"retryable_error_types": [OSError], "retryable_errors": ["rate"]}, ERROR, True),
        ({"retryable_errors": []}, ERROR, False),
    ],
)
def test_filters(filters: dict[str, Any], error: Exception, is_retried: bool) -> None:
    for create, config in (
        (create_retry_strategy, RetryStrategyConfig(**filters)),
        (create_linear_retry_strategy, LinearRetryStrategyConfig(**filters)),
    ):
        assert create(config)(error, 1).should_retry is is_retried


class CardDeclined(Exception):
    pass


class CardExpired(CardDeclined):
    pass


@pytest.mark.parametrize("entry", [CardDeclined, "CardDeclined", f"{__name__}.CardDeclined"])
def test_a_policy_does_not_retry_listed_errors_and_their_subclasses(entry: Any) -> None:
    policy = RetryPolicy(non_retryable=[entry])
    assert not policy(CardExpired(), 1).should_retry
    assert policy(ValueError(), 1).should_retry


@pytest.mark.parametrize("wrong", [{"max_attempts": 0}, {"backoff": 0.5}, {"initial_interval": -1}, {"max_interval": "soon"}])
def test_a_wrong_policy_is_refused_when_it_is_built(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RetryPolicy(**wrong)


def test_a_huge_number_of_attempts_does_not_overflow() -> None:
    assert RetryPolicy(max_attempts=10**6)(ERROR, 10**5).delay_seconds == 300


def test_retry_takes_policies_strategies_and_presets() -> None:
    assert as_strategy(RetryPresets.none)(ERROR, 1) == RetryDecision.no_retry()
    assert as_strategy(policy := RetryPolicy()) is policy
    with pytest.raises(ValidationError):
        as_strategy(3)
