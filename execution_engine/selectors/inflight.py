"""What the code that is loaded here would do to the executions that are open: the deploy check."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from execution_engine.core.enums import TERMINAL_EXECUTION_STATUSES
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.invocation.rehearsal import stored
from execution_engine.invocation.rehearsal.findings import Rehearsal, Verdict
from execution_engine.invocation.rehearsal.rehearse import DEFAULT_SECONDS, rehearse
from execution_engine.models import Execution, FunctionVersion
from execution_engine.sdk.registry import RegisteredFunction, find_function

SHOWN_PROBLEMS = 20
"""Executions that a summary names per version; the counts hold all."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which open executions are looked at. Without `everything` only those that ran with code of another fingerprint.

    `functions` empty means all; `sample` bounds how many of each version are rehearsed, the latest started; `seconds` bounds one
    rehearsal, `budget` (seconds) all of them together.
    """

    functions: tuple[str, ...] = ()
    everything: bool = False
    sample: int | None = None
    seconds: float = DEFAULT_SECONDS
    budget: float | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    execution_id: UUID
    name: str
    function: str
    version: str
    rehearsal: Rehearsal


@dataclass(frozen=True, slots=True)
class VersionCheck:
    """One version of a function. `verdicts` counts what was rehearsed by verdict; `problems` names the first that would break."""

    function: str
    version: str
    open: int
    verdicts: dict[str, int]
    problems: tuple[Checked, ...]

    @property
    def checked(self) -> int:
        return sum(self.verdicts.values())

    @property
    def breaking(self) -> int:
        return sum(count for verdict, count in self.verdicts.items() if Verdict(verdict).breaks)


@dataclass(frozen=True, slots=True)
class DeployCheck:
    """`is_complete` is false when the budget was used up before the last execution."""

    versions: tuple[VersionCheck, ...]
    is_complete: bool

    @property
    def breaking(self) -> int:
        return sum(one.breaking for one in self.versions)


def check_open(scope: Scope) -> Iterator[Checked]:
    """One rehearsal after the other, by version; executions that end meanwhile are left out. Writes nothing."""
    ends_by = None if scope.budget is None else time.monotonic() + scope.budget
    for version in _versions(scope):
        function = find_function(version["function"], version["version"])
        for row in _candidates(version, function, scope).iterator(chunk_size=500):
            if ends_by is not None and time.monotonic() > ends_by:
                return
            rehearsal = _rehearsed(row["id"], function, scope.seconds)
            if rehearsal is not None:
                yield Checked(row["id"], row["name"], version["function"], version["version"], rehearsal)


def count_candidates(scope: Scope) -> int:
    """How many `check_open` would look at, without the budget. One query per version."""
    versions = _versions(scope)
    return sum(_candidates(one, find_function(one["function"], one["version"]), scope).count() for one in versions)


def deploy_check(scope: Scope) -> DeployCheck:
    """The whole check, for a page: give it a `sample` and a `budget`."""
    return summarise(scope, check_open(scope), count_candidates(scope))


def summarise(scope: Scope, checked: Iterable[Checked], wanted: int) -> DeployCheck:
    """By function and version, those that break first. `wanted` is what `count_candidates` answered."""
    verdicts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    problems: dict[tuple[str, str], list[Checked]] = defaultdict(list)
    for one in checked:
        key = (one.function, one.version)
        verdicts[key][str(one.rehearsal.verdict)] += 1
        if not one.rehearsal.verdict.is_safe and len(problems[key]) < SHOWN_PROBLEMS:
            problems[key].append(one)
    rows = []
    for version in _versions(scope):
        key = (version["function"], version["version"])
        rows.append(VersionCheck(*key, _open(version["id"]).count(), dict(verdicts[key]), tuple(problems[key])))
    rows.sort(key=lambda row: (-row.breaking, row.function, row.version))
    return DeployCheck(tuple(rows), sum(row.checked for row in rows) >= wanted)


def _versions(scope: Scope) -> list[dict[str, Any]]:
    """Versions with open executions."""
    opened = Execution.objects.exclude(status__in=TERMINAL_EXECUTION_STATUSES)
    if scope.functions:
        opened = opened.filter(function__in=scope.functions)
    ids = opened.order_by().values_list("function_version_id", flat=True).distinct()
    return list(FunctionVersion.objects.filter(id__in=list(ids)).order_by("function", "version").values())


def _open(version_id: int) -> QuerySet[Execution]:
    return Execution.objects.filter(function_version_id=version_id).exclude(status__in=TERMINAL_EXECUTION_STATUSES)


def _candidates(version: dict[str, Any], function: RegisteredFunction | None, scope: Scope) -> Any:
    found = _open(version["id"]).order_by("-started_at", "-id").values("id", "name")
    if not scope.everything and function is not None and function.fingerprint and function.fingerprint == version["fingerprint"]:
        shaped_at: datetime | None = version["shaped_at"]
        found = found.none() if shaped_at is None else found.filter(started_at__lt=shaped_at)
    return found if scope.sample is None else found[: scope.sample]


def _rehearsed(execution_id: UUID, function: RegisteredFunction | None, seconds: float) -> Rehearsal | None:
    try:
        history = stored.read(execution_id).history
    except ExecutionNotFoundError:
        return None
    return None if history.status.is_terminal else rehearse(function, history, seconds=seconds)
