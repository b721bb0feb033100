"""The names that the functions of this folder import, from AWS's own SDK."""

from aws_durable_execution_sdk_python.concurrency.models import *  # noqa: F403  # its BatchResult is the class, that of types a protocol
from aws_durable_execution_sdk_python.config import *  # noqa: F403
from aws_durable_execution_sdk_python.context import *  # noqa: F403
from aws_durable_execution_sdk_python.exceptions import *  # noqa: F403
from aws_durable_execution_sdk_python.execution import *  # noqa: F403
from aws_durable_execution_sdk_python.plugin import *  # noqa: F403
from aws_durable_execution_sdk_python.retries import *  # noqa: F403
from aws_durable_execution_sdk_python.serdes import *  # noqa: F403
from aws_durable_execution_sdk_python.types import *  # noqa: F403
from aws_durable_execution_sdk_python.waits import *  # noqa: F403
