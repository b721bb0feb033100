"""Callbacks, answered or not, and those that a submitter hands out."""

from tests.conformance import functions
from tests.conformance.scenario import Answer, Heartbeat, Scenario

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

# The memory client runs an invocation within the call that makes it due, so nobody can interfere.
INTERFERENCES = (
    Scenario(
        functions.answered_while_it_runs,
        """
        ExecutionStarted*
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
