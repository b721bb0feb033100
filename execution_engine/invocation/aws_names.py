"""Replaces names in AWS's SDK by which it makes its classes, because it has no place to hand in threads, a witness or a listener.

The classes themselves stay as they are.
"""

import threading
from types import SimpleNamespace

from aws_durable_execution_sdk_python import execution as aws_execution
from aws_durable_execution_sdk_python import plugin as aws_plugin
from aws_durable_execution_sdk_python.concurrency import executor as aws_concurrency

from execution_engine.invocation.aws_rehearsal import plugin_executor
from execution_engine.invocation.aws_speaking import SpeakingContext, SpeakingState
from execution_engine.invocation.aws_threads import CarryingExecutor, CarryingThread


def put() -> None:
    for module in (aws_execution, aws_concurrency):
        vars(module)["ThreadPoolExecutor"] = CarryingExecutor
    vars(aws_execution)["ExecutionState"] = SpeakingState
    vars(aws_execution)["DurableContext"] = SpeakingContext
    vars(aws_execution)["PluginExecutor"] = plugin_executor
    vars(aws_plugin)["threading"] = SimpleNamespace(**{**vars(threading), "Thread": CarryingThread})
