"""The testing kit: durable functions in ordinary tests, in memory, on a virtual clock.

`pytest_plugins = ["execution_engine.testing.plugin"]` brings the fixture `durable_client`.
"""

from execution_engine.core.errors import ExecutionNotEndedError
from execution_engine.testing.client import DurableExecutionTestClient
from execution_engine.testing.engine import EndlessExecutionError
from execution_engine.testing.execution import ExecutionUnderTest
from execution_engine.testing.memory_journal import MemoryJournal
from execution_engine.testing.pending import PendingApproval, PendingCallback
from execution_engine.testing.recorded import RecordedExecution, ReplayDivergedError, rehearse, replay
from execution_engine.testing.results import DurableFunctionsTestError, DurableFunctionTestResult, TestedOperation
from execution_engine.testing.runner import DurableChildContextTestRunner, DurableFunctionTestRunner

__all__ = [
    "DurableChildContextTestRunner",
    "DurableExecutionTestClient",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "DurableFunctionsTestError",
    "EndlessExecutionError",
    "ExecutionNotEndedError",
    "ExecutionUnderTest",
    "MemoryJournal",
    "PendingApproval",
    "PendingCallback",
    "RecordedExecution",
    "ReplayDivergedError",
    "TestedOperation",
    "rehearse",
    "replay",
]
