"""Tables of the engine. Each module names the owner of its rows and how long they are kept."""

from execution_engine.models.duty import Duty
from execution_engine.models.event import Event
from execution_engine.models.execution import Execution
from execution_engine.models.function import Function, FunctionVersion
from execution_engine.models.limit import Limit
from execution_engine.models.log_line import LogLine
from execution_engine.models.operation import Operation
from execution_engine.models.reply import StoredReply
from execution_engine.models.schedule import Schedule
from execution_engine.models.signal import Signal
from execution_engine.models.worker import Worker

__all__ = [
    "Duty",
    "Event",
    "Execution",
    "Function",
    "FunctionVersion",
    "Limit",
    "LogLine",
    "Operation",
    "Schedule",
    "Signal",
    "StoredReply",
    "Worker",
]
