"""Waits, polls, child contexts, ends; and which scenarios are played where."""

from tests.conformance import functions
from tests.conformance.branch_scenarios import BRANCHES
from tests.conformance.callback_scenarios import CALLBACKS, INTERFERENCES
from tests.conformance.scenario import Scenario, Stop
from tests.conformance.step_scenarios import CRASHES, STEPS

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
        ExecutionStarted within 5 s
        #1 WaitStarted Wait two days 172800 s
        InvocationCompleted
        ExecutionTimedOut
        """,
        status="TIMED_OUT",
        passes=5,
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

ANYWHERE = STEPS + WAITS_AND_POLLS + CHILDREN + CALLBACKS + BRANCHES + ENDS
IN_MEMORY = ANYWHERE + FAILED_INVOCATIONS + CRASHES
SIDE_BY_SIDE = ANYWHERE + INTERFERENCES
SCENARIOS = SIDE_BY_SIDE + FAILED_INVOCATIONS + CRASHES


def is_exact_of_aws(scenario: Scenario) -> bool:
    """AWS's SDK sends STARTs together with what follows and drops those still queued at the end: when they get away is a matter
    of milliseconds, and so is what a death after the second checkpoint finds recorded."""
    return scenario.name not in ("gives_up", "at_least_once")
