"""Branches of `parallel` and `map`, and invokes of other functions. The result of a batch is written as `*`."""

from tests.conformance import branch_functions as functions
from tests.conformance.scenario import Scenario

PARALLEL = (
    Scenario(
        functions.two_branches,
        """
        ExecutionStarted
        #1 ContextStarted Parallel both
        #2 ContextStarted ParallelBranch parallel-branch-0 in #1
        #3 StepStarted Step work in #2
        #3 StepSucceeded Step work in #2 attempt 1 = "one"
        #2 ContextSucceeded ParallelBranch parallel-branch-0 in #1 = "one"
        #4 ContextStarted ParallelBranch parallel-branch-1 in #1
        #5 StepStarted Step work in #4
        #5 StepSucceeded Step work in #4 attempt 1 = {"t":"m","v":{"two":{"t":"i","v":2}}}
        #4 ContextSucceeded ParallelBranch parallel-branch-1 in #1 = {"t":"m","v":{"two":{"t":"i","v":2}}}
        #1 ContextSucceeded Parallel both = *
        InvocationCompleted
        ExecutionSucceeded = ["one", {"two": 2}]
        """,
        result=["one", {"two": 2}],
    ),
    Scenario(
        functions.named_branches,
        """
        ExecutionStarted
        #1 ContextStarted Parallel
        #2 ContextStarted ParallelBranch first in #1
        #2 ContextSucceeded ParallelBranch first in #1 = 1
        #3 ContextStarted ParallelBranch parallel-branch-1 in #1
        #3 ContextSucceeded ParallelBranch parallel-branch-1 in #1 = 2
        #4 ContextStarted ParallelBranch parallel-branch-2 in #1
        #4 ContextSucceeded ParallelBranch parallel-branch-2 in #1 = 3
        #1 ContextSucceeded Parallel = *
        InvocationCompleted
        ExecutionSucceeded = [1, 2, 3]
        """,
        result=[1, 2, 3],
    ),
    Scenario(
        functions.no_branches,
        """
        ExecutionStarted
        #1 ContextStarted Parallel none
        #1 ContextSucceeded Parallel none = *
        #2 ContextStarted Map nothing
        #2 ContextSucceeded Map nothing = *
        InvocationCompleted
        ExecutionSucceeded = *
        """,
        result=[["ALL_COMPLETED", "SUCCEEDED", 0, 0, 0], ["ALL_COMPLETED", "SUCCEEDED", 0, 0, 0]],
    ),
    Scenario(
        functions.branch_fails,
        """
        ExecutionStarted
        #1 ContextStarted Parallel fast
        #2 ContextStarted ParallelBranch parallel-branch-0 in #1
        #2 ContextSucceeded ParallelBranch parallel-branch-0 in #1 = 1
        #3 ContextStarted ParallelBranch parallel-branch-1 in #1
        #3 ContextFailed ParallelBranch parallel-branch-1 in #1 ! CardDeclined: no
        #1 ContextSucceeded Parallel fast = *
        #4 WaitStarted Wait 1 s
        InvocationCompleted
        #4 WaitSucceeded Wait 1 s
        InvocationCompleted
        ExecutionSucceeded = ["FAILURE_TOLERANCE_EXCEEDED", "FAILED", 1, 1, 2, 1]
        """,
        result=["FAILURE_TOLERANCE_EXCEEDED", "FAILED", 1, 1, 2, 1],
    ),
    Scenario(
        functions.no_concurrency,
        """
        ExecutionStarted
        InvocationCompleted
        ExecutionFailed ! ValidationError: max_concurrency must be at least 1, got: 0
        """,
        status="FAILED",
    ),
)

POLICIES = (
    Scenario(
        functions.batch_is_thrown,
        """
        ExecutionStarted
        #1 ContextStarted Map halves
        #2 ContextStarted MapIteration map-item-0 in #1
        #2 ContextFailed MapIteration map-item-0 in #1 ! CardDeclined: 1 is odd
        #1 ContextSucceeded Map halves = *
        InvocationCompleted
        ExecutionFailed ! ChildContextError: 1 is odd
        """,
        status="FAILED",
    ),
    Scenario(
        functions.tolerated,
        """
        ExecutionStarted
        #1 ContextStarted Map halves
        #2 ContextStarted MapIteration map-item-0 in #1
        #2 ContextSucceeded MapIteration map-item-0 in #1 = 1
        #3 ContextStarted MapIteration map-item-1 in #1
        #3 ContextFailed MapIteration map-item-1 in #1 ! CardDeclined: 3 is odd
        #4 ContextStarted MapIteration map-item-2 in #1
        #4 ContextSucceeded MapIteration map-item-2 in #1 = 4
        #1 ContextSucceeded Map halves = *
        InvocationCompleted
        ExecutionSucceeded = ["ALL_COMPLETED", "FAILED", 2, 1, 3, 1, 4]
        """,
        result=["ALL_COMPLETED", "FAILED", 2, 1, 3, 1, 4],
    ),
    Scenario(
        functions.tolerated_share,
        """
        ExecutionStarted
        #1 ContextStarted Map halves
        #2 ContextStarted MapIteration map-item-0 in #1
        #2 ContextFailed MapIteration map-item-0 in #1 ! CardDeclined: 1 is odd
        #3 ContextStarted MapIteration map-item-1 in #1
        #3 ContextFailed MapIteration map-item-1 in #1 ! CardDeclined: 3 is odd
        #1 ContextSucceeded Map halves = *
        InvocationCompleted
        ExecutionSucceeded = ["FAILURE_TOLERANCE_EXCEEDED", "FAILED", 0, 2, 2]
        """,
        result=["FAILURE_TOLERANCE_EXCEEDED", "FAILED", 0, 2, 2],
    ),
    *(
        Scenario(
            function,
            f"""
            ExecutionStarted
            #1 ContextStarted Map halves
            #2 ContextStarted MapIteration map-item-0 in #1
            #2 ContextSucceeded MapIteration map-item-0 in #1 = 1
            #3 ContextStarted MapIteration map-item-1 in #1
            #3 ContextSucceeded MapIteration map-item-1 in #1 = 2
            #1 ContextSucceeded Map halves = *
            InvocationCompleted
            ExecutionSucceeded = ["{reason}", "SUCCEEDED", 2, 0, 2, 1, 2]
            """,
            result=[reason, "SUCCEEDED", 2, 0, 2, 1, 2],
        )
        for function, reason in (
            (functions.enough_successes, "MIN_SUCCESSFUL_REACHED"),
            (functions.predicate_decides, "CUSTOM_COMPLETION_SUCCEEDED"),
        )
    ),
)

MAP = (
    Scenario(
        functions.named_items,
        """
        ExecutionStarted = 3
        #1 ContextStarted Map
        #2 ContextStarted MapIteration item 3 at 0 in #1
        #3 WaitStarted Wait pause in #2 1 s
        InvocationCompleted
        #3 WaitSucceeded Wait pause in #2 1 s
        #2 ContextSucceeded MapIteration item 3 at 0 in #1 = 30
        #4 ContextStarted MapIteration item 4 at 1 in #1
        #5 WaitStarted Wait pause in #4 1 s
        InvocationCompleted
        #5 WaitSucceeded Wait pause in #4 1 s
        #4 ContextSucceeded MapIteration item 4 at 1 in #1 = 41
        #1 ContextSucceeded Map = *
        InvocationCompleted
        ExecutionSucceeded = [30, 41]
        """,
        input=3,
        result=[30, 41],
    ),
    Scenario(
        functions.flat_items,
        """
        ExecutionStarted
        #1 ContextStarted Map flat
        #2 StepStarted Step add 1 in #1
        #2 StepSucceeded Step add 1 in #1 attempt 1 = 2
        #3 StepStarted Step add 2 in #1
        #3 StepSucceeded Step add 2 in #1 attempt 1 = 3
        #1 ContextSucceeded Map flat = *
        #4 WaitStarted Wait 1 s
        InvocationCompleted
        #4 WaitSucceeded Wait 1 s
        InvocationCompleted
        ExecutionSucceeded = [2, 3]
        """,
        result=[2, 3],
    ),
    Scenario(
        functions.branches_in_items,
        """
        ExecutionStarted
        #1 ContextStarted Map items
        #2 ContextStarted MapIteration map-item-0 in #1
        #3 ContextStarted Parallel signs in #2
        #4 ContextStarted ParallelBranch parallel-branch-0 in #3
        #4 ContextSucceeded ParallelBranch parallel-branch-0 in #3 = 5
        #5 ContextStarted ParallelBranch parallel-branch-1 in #3
        #5 ContextSucceeded ParallelBranch parallel-branch-1 in #3 = -5
        #3 ContextSucceeded Parallel signs in #2 = *
        #2 ContextSucceeded MapIteration map-item-0 in #1 = [5,-5]
        #1 ContextSucceeded Map items = *
        InvocationCompleted
        ExecutionSucceeded = [[5, -5]]
        """,
        result=[[5, -5]],
    ),
    Scenario(
        functions.large_batch,
        """
        ExecutionStarted
        #1 ContextStarted Map texts
        #2 ContextStarted MapIteration map-item-0 in #1
        #3 StepStarted Step text in #2
        #3 StepSucceeded Step text in #2 attempt 1 = "aaa*
        #2 ContextSucceeded MapIteration map-item-0 in #1 = "aaa*
        #4 ContextStarted MapIteration map-item-1 in #1
        #5 StepStarted Step text in #4
        #5 StepSucceeded Step text in #4 attempt 1 = "bbb*
        #4 ContextSucceeded MapIteration map-item-1 in #1 = "bbb*
        #6 ContextStarted MapIteration map-item-2 in #1
        #7 StepStarted Step text in #6
        #7 StepSucceeded Step text in #6 attempt 1 = "ccc*
        #6 ContextSucceeded MapIteration map-item-2 in #1 = "ccc*
        #1 ContextSucceeded Map texts = {"type": "MapResult", "totalCount": 3, "completionReason": "ALL_COMPLETED", *
        #8 WaitStarted Wait 1 s
        InvocationCompleted
        #8 WaitSucceeded Wait 1 s
        InvocationCompleted
        ExecutionSucceeded = [90000, 90000, 90000]
        """,
        result=[90000, 90000, 90000],
    ),
    Scenario(
        functions.batch_serdes,
        """
        ExecutionStarted
        #1 ContextStarted Map letters
        #2 ContextStarted MapIteration map-item-0 in #1
        #2 ContextSucceeded MapIteration map-item-0 in #1 = A
        #3 ContextStarted MapIteration map-item-1 in #1
        #3 ContextSucceeded MapIteration map-item-1 in #1 = B
        #1 ContextSucceeded Map letters = JOINED:A,B
        #4 WaitStarted Wait 1 s
        InvocationCompleted
        #4 WaitSucceeded Wait 1 s
        InvocationCompleted
        ExecutionSucceeded = "JOINED:A,B"
        """,
        result="JOINED:A,B",
    ),
)

INVOKES = (
    Scenario(
        functions.asks,
        """
        ExecutionStarted = 7
        #1 ChainedInvokeStarted ChainedInvoke call calls answers_later version 1 for blue = {"number": 7}
        InvocationCompleted
        #1 ChainedInvokeSucceeded ChainedInvoke call = {"number": 7}
        #2 WaitStarted Wait 1 s
        InvocationCompleted
        #2 WaitSucceeded Wait 1 s
        InvocationCompleted
        ExecutionSucceeded = {"number": 7}
        """,
        input=7,
        result={"number": 7},
    ),
    Scenario(
        functions.asks_in_a_child,
        """
        ExecutionStarted
        #1 ContextStarted RunInChildContext child
        #2 ChainedInvokeStarted ChainedInvoke in #1 calls answers_later version 1 = null
        InvocationCompleted
        #2 ChainedInvokeSucceeded ChainedInvoke in #1 = null
        #1 ContextSucceeded RunInChildContext child = null
        InvocationCompleted
        ExecutionSucceeded = null
        """,
    ),
    Scenario(
        functions.is_declined,
        """
        ExecutionStarted
        #1 ChainedInvokeStarted ChainedInvoke call calls declines version 1 = "please"
        InvocationCompleted
        #1 ChainedInvokeFailed ChainedInvoke call ! CardDeclined: not today
        InvocationCompleted
        ExecutionSucceeded = "CardDeclined: not today"
        """,
        result="CardDeclined: not today",
    ),
    Scenario(
        functions.asks_nobody,
        """
        ExecutionStarted
        #1 ChainedInvokeStarted ChainedInvoke call calls nobody_registered_this = 1
        #1 ChainedInvokeFailed ChainedInvoke call ! ResourceNotFoundException: *
        InvocationCompleted
        ExecutionFailed ! InvokeError: *
        """,
        status="FAILED",
    ),
)

BRANCHES = PARALLEL + POLICIES + MAP + INVOKES
