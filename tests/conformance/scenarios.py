"""What is done to each function and the history it must leave, line by line (see `lines.py`)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance import functions


@dataclass(frozen=True)
class Answer:
    """A callback is answered: with a value, sent as JSON (None: without one), or an error message of type `Refused`."""

    callback: str | None
    value: Any = None
    error: str | None = None

    @property
    def text(self) -> str | None:
        return None if self.value is None else json.dumps(self.value)


@dataclass(frozen=True)
class Heartbeat:
    callback: str | None


@dataclass(frozen=True)
class Stop:
    """Somebody stops the execution with an error message of type `ByHand`."""

    error: str


@dataclass(frozen=True)
class Crash:
    """The process of the first invocation dies after so many checkpoints."""

    checkpoints: int


Step = Answer | Heartbeat | Stop


@dataclass(frozen=True)
class Scenario:
    """`passes` is how many seconds must pass for the end beyond waits and retries: time-outs. Steps are done between
    invocations, with `while_running` in the midst of one."""

    handler: Callable[..., Any]
    history: str
    input: Any = None
    status: str = "SUCCEEDED"
    result: Any = None
    steps: tuple[Step, ...] = ()
    crash: Crash | None = None
    passes: int = 0
    while_running: bool = False

    @property
    def name(self) -> str:
        return str(self.handler.__name__)

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.history.strip().splitlines()]


STEPS = (
    Scenario(
        functions.two_steps,
        """
        ExecutionStarted = 20
        #1 StepStarted Step double
        #1 StepSucceeded Step double attempt 1 = 40
        #2 StepStarted Step
        #2 StepSucceeded Step attempt 1 = 41
        InvocationCompleted
        ExecutionSucceeded = 41
        """,
        input=20,
        result=41,
    ),
    Scenario(
        functions.nothing,
        """
        ExecutionStarted
        #1 StepStarted Step nothing
        #1 StepSucceeded Step nothing attempt 1 = null
        InvocationCompleted
        ExecutionSucceeded = null
        """,
    ),
    Scenario(
        functions.structures,
        """
        ExecutionStarted
        #1 StepStarted Step build
        #1 StepSucceeded Step build attempt 1 = {"t":"m","v":{"tags":{"t":"l","v":[{"t":"s","v":"a"},{"t":"i","v":1},{"t":"n","v":null}]},"rate":{"t":"f","v":1.5}}}
        InvocationCompleted
        ExecutionSucceeded = {"tags": ["a", 1, null], "rate": 1.5}
        """,  # noqa: E501
        result={"tags": ["a", 1, None], "rate": 1.5},
    ),
    Scenario(
        functions.own_serdes,
        """
        ExecutionStarted = "abc"
        #1 StepStarted Step step
        #1 StepSucceeded Step step attempt 1 = ABC
        #2 ContextStarted RunInChildContext child
        #2 ContextSucceeded RunInChildContext child = CHILD OF ABC
        InvocationCompleted
        ExecutionSucceeded = "ABC/CHILD OF ABC"
        """,
        input="abc",
        result="ABC/CHILD OF ABC",
    ),
    Scenario(
        functions.retried,
        """
        ExecutionStarted
        #1 StepStarted Step pay
        #1 StepFailed Step pay attempt 1 again in 1 s ! CardDeclined: declined 1
        InvocationCompleted
        #1 StepStarted Step pay
        #1 StepFailed Step pay attempt 2 again in 1 s ! CardDeclined: declined 2
        InvocationCompleted
        #1 StepStarted Step pay
        #1 StepSucceeded Step pay attempt 3 = "paid"
        InvocationCompleted
        ExecutionSucceeded = "paid"
        """,
        result="paid",
    ),
    Scenario(
        functions.exhausted,
        """
        ExecutionStarted
        #1 StepStarted Step pay
        #1 StepFailed Step pay attempt 1 again in 1 s ! CardDeclined: declined
        InvocationCompleted
        #1 StepStarted Step pay
        #1 StepFailed Step pay attempt 2 ! CardDeclined: declined
        InvocationCompleted
        ExecutionFailed ! StepError: declined
        """,
        status="FAILED",
    ),
    Scenario(
        functions.caught,
        """
        ExecutionStarted
        #1 StepStarted Step pay
        #1 StepFailed Step pay attempt 1 ! CardDeclined: declined
        #2 WaitStarted Wait 1 s
        InvocationCompleted
        #2 WaitSucceeded Wait 1 s
        #3 StepStarted Step report
        #3 StepSucceeded Step report attempt 1 = "CardDeclined: declined"
        InvocationCompleted
        ExecutionSucceeded = "CardDeclined: declined"
        """,
        result="CardDeclined: declined",
    ),
    Scenario(
        functions.not_caught,
        """
        ExecutionStarted
        #1 StepStarted Step first
        #1 StepSucceeded Step first attempt 1 = "kept"
        InvocationCompleted
        ExecutionFailed ! CardDeclined: no step, no catch
        """,
        status="FAILED",
    ),
)

CRASHES = (
    Scenario(
        functions.at_most_once,
        """
        ExecutionStarted*
        #1 StepStarted Step once
        InvocationCompleted ! Runtime.ExitError: The worker process ended during the invocation
        #1 StepFailed Step once attempt 1 again in 1 s ! StepInterruptedError: *
        InvocationCompleted
        #1 StepStarted Step once
        #1 StepSucceeded Step once attempt 2 = "attempt 2"
        InvocationCompleted
        ExecutionSucceeded = "attempt 2"
        """,
        result="attempt 2",
        crash=Crash(1),
    ),
    Scenario(
        functions.at_most_once_without_retry,
        """
        ExecutionStarted*
        #1 StepStarted Step once
        InvocationCompleted ! Runtime.ExitError: The worker process ended during the invocation
        #1 StepFailed Step once attempt 1 ! StepInterruptedError: *
        InvocationCompleted
        ExecutionFailed ! StepError: *
        """,
        status="FAILED",
        crash=Crash(1),
    ),
    Scenario(
        functions.at_least_once,
        """
        ExecutionStarted*
        #1 ContextStarted RunInChildContext child
        #2 StepStarted Step again in #1
        InvocationCompleted ! Runtime.ExitError: The worker process ended during the invocation
        #2 StepSucceeded Step again in #1 attempt 1 = "attempt 1"
        #1 ContextSucceeded RunInChildContext child = "attempt 1"
        InvocationCompleted
        ExecutionSucceeded = "attempt 1"
        """,
        result="attempt 1",
        crash=Crash(2),
    ),
)

WAITS_AND_POLLS = (
    Scenario(
        functions.two_waits,
        """
        ExecutionStarted
        #1 WaitStarted Wait first 1 s
        InvocationCompleted
        #1 WaitSucceeded Wait first 1 s
        #2 WaitStarted Wait 2 s
        InvocationCompleted
        #2 WaitSucceeded Wait 2 s
        InvocationCompleted
        ExecutionSucceeded = "waited"
        """,
        result="waited",
    ),
    Scenario(
        functions.polled,
        """
        ExecutionStarted = 3
        #1 StepStarted WaitForCondition poll
        #1 StepSucceeded WaitForCondition poll attempt 1 again in 1 s = 1
        InvocationCompleted
        #1 StepStarted WaitForCondition poll
        #1 StepSucceeded WaitForCondition poll attempt 2 again in 1 s = 2
        InvocationCompleted
        #1 StepStarted WaitForCondition poll
        #1 StepSucceeded WaitForCondition poll attempt 3 = 3
        InvocationCompleted
        ExecutionSucceeded = 3
        """,
        input=3,
        result=3,
    ),
    Scenario(
        functions.poll_fails,
        """
        ExecutionStarted
        #1 StepStarted WaitForCondition poll
        #1 StepFailed WaitForCondition poll attempt 1 ! ConnectionError: gone
        InvocationCompleted
        ExecutionFailed ! WaitForConditionError: gone
        """,
        status="FAILED",
    ),
)

CHILDREN = (
    Scenario(
        functions.nested,
        """
        ExecutionStarted = "hello"
        #1 ContextStarted RunInChildContext outer
        #2 StepStarted Step before in #1
        #2 StepSucceeded Step before in #1 attempt 1 = "before"
        #3 ContextStarted RunInChildContext inner in #1
        #4 WaitStarted Wait inside in #3 1 s
        InvocationCompleted
        #4 WaitSucceeded Wait inside in #3 1 s
        #5 StepStarted Step echo in #3
        #5 StepSucceeded Step echo in #3 attempt 1 = "hello"
        #3 ContextSucceeded RunInChildContext inner in #1 = "hello"
        #1 ContextSucceeded RunInChildContext outer = "hello"
        #6 WaitStarted Wait after 1 s
        InvocationCompleted
        #6 WaitSucceeded Wait after 1 s
        InvocationCompleted
        ExecutionSucceeded = "hello"
        """,
        input="hello",
        result="hello",
    ),
    Scenario(
        functions.child_fails,
        """
        ExecutionStarted
        #1 ContextStarted RunInChildContext child
        #1 ContextFailed RunInChildContext child ! CardDeclined: in the child
        InvocationCompleted
        ExecutionSucceeded = "in the child"
        """,
        result="in the child",
    ),
    Scenario(
        functions.large_child,
        f"""
        ExecutionStarted
        #1 ContextStarted RunInChildContext large
        #2 StepStarted Step small in #1
        #2 StepSucceeded Step small in #1 attempt 1 = "{"x" * 100}"
        #1 ContextSucceeded RunInChildContext large = 300000 letters
        #3 WaitStarted Wait 1 s
        InvocationCompleted
        #3 WaitSucceeded Wait 1 s
        InvocationCompleted
        ExecutionSucceeded = 300000
        """,
        result=300000,
    ),
)

CALLBACKS = (
    Scenario(
        functions.approval,
        """
        ExecutionStarted
        #1 CallbackStarted Callback manager
        #2 StepStarted Step mail
        #2 StepSucceeded Step mail attempt 1 = "mailed"
        InvocationCompleted
        #1 CallbackSucceeded Callback manager = {"by": "Ann"}
        InvocationCompleted
        ExecutionSucceeded = "{\\"by\\": \\"Ann\\"}"
        """,
        result='{"by": "Ann"}',
        steps=(Heartbeat("manager"), Answer("manager", {"by": "Ann"})),
    ),
    Scenario(
        functions.answered_during_a_wait,
        """
        ExecutionStarted
        #1 CallbackStarted Callback manager
        #2 WaitStarted Wait pause 4 s
        InvocationCompleted
        #1 CallbackFailed Callback manager ! Refused: too much
        InvocationCompleted
        #2 WaitSucceeded Wait pause 4 s
        InvocationCompleted
        ExecutionFailed ! CallbackExternalError: too much
        """,
        status="FAILED",
        steps=(Answer("manager", error="too much"),),
    ),
    Scenario(
        functions.two_callbacks,
        """
        ExecutionStarted
        #1 CallbackStarted Callback first
        #2 CallbackStarted Callback second
        InvocationCompleted
        #1 CallbackSucceeded Callback first = "one"
        InvocationCompleted
        #2 CallbackSucceeded Callback second = "two"
        InvocationCompleted
        ExecutionSucceeded = "\\"two\\" \\"one\\""
        """,
        result='"two" "one"',
        steps=(Answer("first", "one"), Answer("second", "two")),
    ),
    Scenario(
        functions.callback_times_out,
        """
        ExecutionStarted
        #1 CallbackStarted Callback manager timeout 1 s
        InvocationCompleted
        #1 CallbackTimedOut Callback manager ! Callback.Timeout: Callback timed out
        InvocationCompleted
        ExecutionSucceeded = "caught CallbackTimeoutError: Callback timed out"
        """,
        result="caught CallbackTimeoutError: Callback timed out",
        passes=1,
    ),
    Scenario(
        functions.heartbeat_missing,
        """
        ExecutionStarted
        #1 CallbackStarted Callback manager timeout 3600 s heartbeat 1 s
        InvocationCompleted
        #1 CallbackTimedOut Callback manager ! Callback.Heartbeat: *
        InvocationCompleted
        ExecutionFailed ! CallbackTimeoutError: *
        """,
        status="FAILED",
        passes=1,
    ),
    Scenario(
        functions.submitted,
        """
        ExecutionStarted
        #1 ContextStarted WaitForCallback bank
        #2 CallbackStarted Callback bank create callback id in #1 timeout 3600 s
        #3 StepStarted Step bank submitter in #1
        #3 StepSucceeded Step bank submitter in #1 attempt 1 = null
        InvocationCompleted
        #2 CallbackFailed Callback bank create callback id in #1 ! Refused: no money
        #1 ContextFailed WaitForCallback bank ! CallbackExternalError: no money
        InvocationCompleted
        ExecutionFailed ! CallbackExternalError: no money
        """,
        status="FAILED",
        steps=(Answer("bank create callback id", error="no money"),),
    ),
    Scenario(
        functions.submitted_without_a_name,
        """
        ExecutionStarted
        #1 ContextStarted WaitForCallback
        #2 CallbackStarted Callback create callback id in #1
        #3 StepStarted Step submitter in #1
        #3 StepSucceeded Step submitter in #1 attempt 1 = null
        InvocationCompleted
        #2 CallbackSucceeded Callback create callback id in #1
        #1 ContextSucceeded WaitForCallback = null
        InvocationCompleted
        ExecutionSucceeded = null
        """,
        steps=(Answer("create callback id"),),
    ),
    Scenario(
        functions.submitter_fails,
        """
        ExecutionStarted
        #1 ContextStarted WaitForCallback bank
        #2 CallbackStarted Callback bank create callback id in #1
        #3 StepStarted Step bank submitter in #1
        #3 StepFailed Step bank submitter in #1 attempt 1 again in 1 s ! ConnectionError: bank is closed
        InvocationCompleted
        #3 StepStarted Step bank submitter in #1
        #3 StepFailed Step bank submitter in #1 attempt 2 ! ConnectionError: bank is closed
        #1 ContextFailed WaitForCallback bank ! StepError: bank is closed
        InvocationCompleted
        ExecutionFailed ! CallbackSubmitterError: bank is closed
        """,
        status="FAILED",
    ),
)

ENDS = (
    Scenario(
        functions.long_wait,
        """
        ExecutionStarted
        #1 WaitStarted Wait two days 172800 s
        InvocationCompleted
        ExecutionStopped ! ByHand: not needed
        """,
        status="STOPPED",
        steps=(Stop("not needed"),),
    ),
    Scenario(
        functions.too_slow,
        """
        ExecutionStarted within 1 s
        #1 WaitStarted Wait two days 172800 s
        InvocationCompleted
        ExecutionTimedOut
        """,
        status="TIMED_OUT",
        passes=1,
    ),
    Scenario(
        functions.diverges,
        """
        ExecutionStarted
        #1 WaitStarted Wait slot 1 s
        InvocationCompleted
        #1 WaitSucceeded Wait slot 1 s
        InvocationCompleted
        ExecutionFailed ! NonDeterministicExecutionError: *
        """,
        status="FAILED",
    ),
    Scenario(
        functions.gives_up,
        """
        ExecutionStarted
        #1 ContextStarted RunInChildContext child
        #2 StepStarted Step step in #1
        InvocationCompleted
        ExecutionFailed ! ExecutionError: no use in trying
        """,
        status="FAILED",
    ),
)

# Takes 20 s where time is real.
FAILED_INVOCATIONS = (
    Scenario(
        functions.never_gets_through,
        """
        ExecutionStarted
        InvocationCompleted ! InvocationError: no connection
        InvocationCompleted ! InvocationError: no connection
        InvocationCompleted ! InvocationError: no connection
        InvocationCompleted ! InvocationError: no connection
        InvocationCompleted ! InvocationError: no connection
        ExecutionFailed ! InvocationError: no connection
        """,
        status="FAILED",
    ),
)

# The memory client runs an invocation within the call that makes it due, so nobody can interfere.
INTERFERENCES = (
    Scenario(
        functions.answered_while_it_runs,
        """
        ExecutionStarted
        #1 CallbackStarted Callback manager
        #2 StepStarted Step slow
        #1 CallbackSucceeded Callback manager = "meanwhile"
        #2 StepSucceeded Step slow attempt 1 = null
        InvocationCompleted
        ExecutionSucceeded = "\\"meanwhile\\""
        """,
        result='"meanwhile"',
        steps=(Answer("manager", "meanwhile"),),
        while_running=True,
    ),
)

IN_MEMORY = STEPS + WAITS_AND_POLLS + CHILDREN + CALLBACKS + ENDS + FAILED_INVOCATIONS + CRASHES
SIDE_BY_SIDE = STEPS + WAITS_AND_POLLS + CHILDREN + CALLBACKS + ENDS + INTERFERENCES
