"""One rehearsal: the handler runs over the history on a thread of its own, for a bounded time, and nothing it does counts."""

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationStatus, OperationType
from execution_engine.core.errors import InvocationInterrupt
from execution_engine.core.records import ErrorObject, OperationRecord
from execution_engine.invocation.rehearsal import aws_watch, compare
from execution_engine.invocation.rehearsal.aws_watch import AwsWatch
from execution_engine.invocation.rehearsal.findings import Divergence, Rehearsal, Verdict
from execution_engine.invocation.rehearsal.guard import without_effects
from execution_engine.invocation.rehearsal.history import History
from execution_engine.invocation.rehearsal.watch import Watch, WatchedHistory, author_line, is_machinery, line_of
from execution_engine.invocation.runners import runner_of
from execution_engine.sdk.definition import RegisteredFunction
from execution_engine.sdk.runner import HandlerOutcome

DEFAULT_SECONDS = 5.0
"""A replay decodes recorded results and runs the code between them: far below a second unless the code hangs."""
GRACE_SECONDS = 0.5
MAX_LOST_THREADS = 8
"""Rehearsals whose code hangs in something that cannot be interrupted; beyond them this process rehearses nothing more."""

_FAILED = (OperationStatus.FAILED, OperationStatus.TIMED_OUT, OperationStatus.STOPPED)
_WAITING = (OperationType.WAIT, OperationType.CALLBACK, OperationType.CHAINED_INVOKE)
_NON_DETERMINISTIC = "NonDeterministicExecutionError"
_lost: list[threading.Thread] = []


def rehearse(
    function: RegisteredFunction | None,
    history: History,
    *,
    seconds: float = DEFAULT_SECONDS,
    begins_anew: frozenset[str] = frozenset(),
) -> Rehearsal:
    """What would happen if this code went on with that history. Writes nothing, runs no body, raises nothing; takes at most
    `seconds` and a grace of half a second. The same code and history always give the same answer, but for one that hangs.

    `begins_anew` are ids that a repair took out of the history: asked for again, they are new work and not inserted.
    """
    if function is None:
        return Rehearsal(Verdict.MISSING, problem="this process does not know this version of the function")
    if function.kind not in ("durable", "aws"):
        return Rehearsal(Verdict.UNKNOWN, problem=f"a {function.kind} function has no replay")
    _lost[:] = [thread for thread in _lost if thread.is_alive()]
    if len(_lost) >= MAX_LOST_THREADS:
        return Rehearsal(Verdict.UNKNOWN, problem=f"{len(_lost)} earlier rehearsals still hang in this process")
    watch = (AwsWatch if function.kind == "aws" else Watch)(history, begins_anew)
    run = _Run(function, history, watch)
    started = time.perf_counter()
    hangs_at = run.for_at_most(seconds)
    return replace(_judge(history, watch, run, hangs_at, seconds), seconds=time.perf_counter() - started)


class _GiveUpError(BaseException):
    """Raised into the thread of a rehearsal that takes too long."""


@dataclass(slots=True)
class _Run:
    function: RegisteredFunction
    history: History
    watch: Watch
    outcome: HandlerOutcome | None = None
    effect: str = ""
    effect_at: str = ""
    failure: BaseException | None = None
    threads: list[threading.Thread] = field(default_factory=list)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=Context().run, args=(self._run,), name="durable-rehearsal", daemon=True)

    def for_at_most(self, seconds: float) -> str | None:
        """Where the code hangs, when it does: its thread is then told to end, which works as soon as it runs Python code."""
        self.thread.start()
        self.thread.join(seconds)
        if not self.thread.is_alive():
            return None
        where = next(iter(self._in_author_code().values()), "")
        ends_by = time.monotonic() + GRACE_SECONDS
        while self.thread.is_alive() and time.monotonic() < ends_by:
            for number in self._in_author_code() or {self.thread.ident: ""}:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(number or 0), ctypes.py_object(_GiveUpError))
            self.thread.join(0.05)
        if self.thread.is_alive():
            _lost.append(self.thread)
        return where

    def _in_author_code(self) -> dict[int | None, str]:
        """Where the author's code stands, by thread: ours, or those on which AWS's SDK runs it. One that is gone is left out, as its
        number may be another's by now."""
        frames = sys._current_frames()
        mine = (one for one in (self.thread, *self.threads) if one.is_alive())
        return {one.ident: line for one in mine if (line := author_line(frames.get(one.ident or 0)))}

    def _run(self) -> None:
        is_aws = self.function.kind == "aws"
        sink = WatchedHistory(self.history, self.watch, aws_watch.shown(self.history) if is_aws else self.history.operations)
        function = replace(self.function, handler=self._observed(self.function.handler), plugins=())
        try:
            with without_effects(self._notice, self.threads):
                self.outcome = runner_of(function)(
                    function,
                    sink,
                    self.history.input,
                    is_replaying=bool(self.history.operations),
                )
        except InvocationInterrupt:
            return
        except BaseException as error:  # the edge to author code, on a thread that nobody else looks after
            self.failure = error

    def _notice(self, what: str) -> None:
        if not self.effect:
            self.effect, self.effect_at = what, author_line(sys._getframe(1))

    def _observed(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        def observed(event: Any, context: Any) -> Any:
            try:
                return handler(event, context)
            except Exception as error:
                self.watch.raised_at = _raised_at(error.__traceback__)
                raise

        return observed


def _judge(history: History, watch: Watch, run: _Run, hangs_at: str | None, seconds: float) -> Rehearsal:
    outcome = run.outcome
    error = outcome.error if outcome else None
    diverged: tuple[Divergence, ...] = ()
    is_told = error is not None and (error.type or "").endswith(_NON_DETERMINISTIC)
    if error is not None and is_told and run.function.kind != "aws":
        found = None if watch.changed else compare.nesting(watch, error.message or "")
        diverged = () if found is None else (found,)
    elif not is_told and outcome is not None and outcome.status is not InvocationStatus.PENDING and hangs_at is None and not run.effect:
        watch.ended.setdefault(None, "")
    if run.function.kind == "aws":
        diverged = aws_watch.differences(history, watch, (error.message or "") if error and is_told else "")
    else:
        diverged = (*diverged, *compare.differences(history, watch, run.function.codec))
    verdict, problem, where = _verdict(history, watch, run, hangs_at, seconds)
    if diverged and verdict in (Verdict.FITS, Verdict.FAILS):
        verdict = Verdict.DIVERGES
    ended = outcome if outcome is not None and hangs_at is None else HandlerOutcome(InvocationStatus.PENDING)
    differs = history.status is ExecutionStatus.SUCCEEDED and ended.status is InvocationStatus.SUCCEEDED and ended.result != history.result
    kept, waiting, not_reached = _sorted(history, watch, diverged)
    return Rehearsal(
        verdict,
        diverged,
        kept,
        tuple(watch.reruns),
        waiting,
        not_reached,
        next=tuple(compare.place_asked(watch, watch.asked[one]) for one in watch.edges),
        problem=problem,
        where=where,
        outcome=ended.status,
        result=ended.result,
        error=ended.error,
        result_differs=differs,
    )


def _verdict(history: History, watch: Watch, run: _Run, hangs_at: str | None, seconds: float) -> tuple[Verdict, str, str]:
    """The verdict without regard to divergences, why, and where in the author's code."""
    if hangs_at is not None:
        return Verdict.UNFINISHED, f"the code did not come back within {seconds:g} s", hangs_at
    if run.effect:
        return Verdict.EFFECT, f"the code {run.effect} outside a step", run.effect_at
    if run.failure is not None or run.outcome is None:
        return Verdict.FAILS, f"the code ended in an unexpected way: {run.failure!r}", ""
    error = run.outcome.error
    if error is None or (error.type or "").endswith(_NON_DETERMINISTIC):
        return Verdict.FITS, "", ""
    said = f"the code raises {error.type}: {error.message}"
    if not run.outcome.invocation_failed and _is_expected(history, watch, error):
        return Verdict.FITS, "", ""
    return Verdict.FAILS, said, watch.raised_at


def _is_expected(history: History, watch: Watch, error: ErrorObject) -> bool:
    """The failure that the history ended with, or one that may come of a recorded one: a handler raises as it likes about that."""
    if history.status is ExecutionStatus.SUCCEEDED:
        return False
    if history.status is ExecutionStatus.FAILED and history.error is not None and history.error.type == error.type:
        return True
    return any(watch.records[one].status in _FAILED for one in watch.asked if one in watch.records)


Records = tuple[OperationRecord, ...]


def _sorted(history: History, watch: Watch, diverged: tuple[Divergence, ...]) -> tuple[Records, Records, Records]:
    """What is kept, what waits, and what lies behind the point up to which can be seen."""
    named = {one.recorded.id for one in diverged if one.recorded is not None}
    kept: list[OperationRecord] = []
    waiting: list[OperationRecord] = []
    not_reached: list[OperationRecord] = []
    answered: set[str] = set()
    for record in history.operations:
        is_inside = record.parent_id in answered
        if is_inside or (record.id in watch.asked and record.is_terminal):
            if record.type is OperationType.CONTEXT and (is_inside or not record.replay_children):
                answered.add(record.id)
            kept.append(record)
        elif record.id not in watch.asked:
            if record.id not in named:
                not_reached.append(record)
        elif record.type in _WAITING:
            waiting.append(record)
    return tuple(kept), tuple(waiting), tuple(not_reached)


def _raised_at(trace: TracebackType | None) -> str:
    """The author's innermost line of a traceback."""
    found = ""
    while trace is not None:
        if not is_machinery(trace.tb_frame.f_code.co_filename):
            found = line_of(trace.tb_frame, trace.tb_lineno)
        trace = trace.tb_next
    return found
