"""What a schedule is made of, and how the executions that it starts are named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

MAX_NAME = 100
MAX_CATCH_UP = 100


class Overlap(StrEnum):
    """What a firing does while the last execution of its schedule is open."""

    ALLOW = "allow"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class ScheduleValues:
    """What people set.

    `rule` and `timezone` as `calendar.make_calendar` reads them, `input` is JSON text or None, `version` None is the newest at
    each firing, `catch_up` how many of the firings missed in a down time are made up for, the latest ones."""

    name: str
    function: str
    rule: str
    timezone: str = "UTC"
    version: str | None = None
    input: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    concurrency_key: str | None = None
    priority: int | None = None
    overlap: Overlap = Overlap.ALLOW
    catch_up: int = 1
    is_paused: bool = False


def execution_name(schedule_id: int, moment: datetime) -> str:
    """Of the execution of one firing, which therefore exists at most once: `schedule-7-20261121T153000Z`."""
    return f"schedule-{schedule_id}-{moment:%Y%m%dT%H%M%SZ}"
