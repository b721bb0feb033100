"""The testing kit: durable functions in ordinary tests, in memory, on a virtual clock.

`pytest_plugins = ["execution_engine.testing.plugin"]` brings the fixture `durable_client`.
"""

from execution_engine.testing.client import DurableExecutionTestClient, ExecutionNotEndedError, ExecutionUnderTest, PendingCallback
from execution_engine.testing.engine import EndlessExecutionError
from execution_engine.testing.memory_journal import MemoryJournal

__all__ = [
    "DurableExecutionTestClient",
    "EndlessExecutionError",
    "ExecutionNotEndedError",
    "ExecutionUnderTest",
    "MemoryJournal",
    "PendingCallback",
]
