"""Which way a handler is run: over our SDK, or, decorated with AWS's, over the adapter. That package is imported only then."""

from collections.abc import Callable

from execution_engine.sdk.definition import RegisteredFunction
from execution_engine.sdk.runner import HandlerOutcome, run_handler


def runner_of(function: RegisteredFunction) -> Callable[..., HandlerOutcome]:
    if function.kind != "aws":
        return run_handler
    from execution_engine.invocation.aws_sdk import run_aws_handler

    return run_aws_handler
