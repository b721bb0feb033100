"""An event as one line of text, so that a history reads like a story and every asserted value is on the page.

`#1 StepFailed Step pay in #2 attempt 1 again in 1 s ! CardDeclined: declined` is the event of the operation whose id was
met first, named `pay`, inside the second operation's context.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.conformance.functions import last_word


def history_lines(events: Iterable[Mapping[str, Any]]) -> list[str]:
    labels: dict[str, str] = {}
    return [_line(event, labels) for event in events]


def _line(event: Mapping[str, Any], labels: dict[str, str]) -> str:
    words = [event["EventType"]]
    if "SubType" in event:
        words.insert(0, labels.setdefault(event["Id"], f"#{len(labels) + 1}"))
        words.append(event["SubType"])
    if "Name" in event:
        words.append(event["Name"])
    if "ParentId" in event:
        words += ["in", labels[event["ParentId"]]]
    return " ".join([*words, *_detail_words(event["EventType"], event[f"{event['EventType']}Details"])])


def _detail_words(event_type: str, details: Mapping[str, Any]) -> Iterable[str]:
    if "Duration" in details:
        yield f"{details['Duration']} s"
    for key, word in (("FunctionName", "calls"), ("ExecutedVersion", "version"), ("TenantId", "for")):
        if key in details:
            yield f"{word} {details[key]}"
    for key, word in (("Timeout", "timeout"), ("HeartbeatTimeout", "heartbeat"), ("ExecutionTimeout", "within")):
        if key in details:
            yield f"{word} {details[key]} s"
    if event_type in ("StepSucceeded", "StepFailed"):
        retry = details["RetryDetails"]
        yield f"attempt {retry['CurrentAttempt']}"
        if "NextAttemptDelaySeconds" in retry:
            yield f"again in {retry['NextAttemptDelaySeconds']} s"
    for key in ("Input", "Result"):
        if "Payload" in details.get(key, {}):
            yield f"= {details[key]['Payload']}"
    error = details.get("Error", {}).get("Payload")
    if error:
        yield f"! {last_word(error['ErrorType'])}: {error['ErrorMessage']}"


def assert_history(found: list[str], expected: list[str]) -> None:
    """Equal line by line; a text that is not promised is written as `*` at a line's end."""
    shortened = [
        line[: len(pattern) - 1] + "*" if pattern.endswith("*") and line.startswith(pattern[:-1]) else line
        for line, pattern in zip(found, expected, strict=False)
    ]
    assert shortened + found[len(expected) :] == expected
