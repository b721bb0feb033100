"""Steps, their retries, and processes that die in the midst of one."""

from tests.conformance import functions
from tests.conformance.scenario import Crash, Scenario

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
