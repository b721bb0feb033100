"""AWS's paths, at the root. ARNs and callback ids hold `/`, percent-encoded by SDKs and decoded by WSGI: the longer address comes first."""

from django.urls import path, re_path, register_converter
from django.urls.converters import PathConverter

from durable_ops.lambda_api.views import callbacks, checkpoints, executions, invocations

app_name = "lambda_api"


class AnythingConverter(PathConverter):
    """A value with whatever somebody put into it, line breaks too: the call itself says what is wrong with it."""

    regex = r"(?s:.+)"


register_converter(AnythingConverter, "anything")
EXECUTION = "2025-12-01/durable-executions/<anything:arn>"
CALLBACK = "2025-12-01/durable-execution-callbacks/<anything:callback_id>"

urlpatterns = [
    path("2015-03-31/functions/<anything:function>/invocations", invocations.InvokeView.as_view(), name="invoke"),
    path("2025-12-01/functions/<anything:function>/durable-executions", executions.ExecutionsView.as_view(), name="list"),
    path(f"{EXECUTION}/checkpoint", checkpoints.CheckpointView.as_view(), name="checkpoint"),
    path(f"{EXECUTION}/state", checkpoints.StateView.as_view(), name="state"),
    path(f"{EXECUTION}/history", executions.HistoryView.as_view(), name="history"),
    path(f"{EXECUTION}/stop", executions.StopView.as_view(), name="stop"),
    path(f"{EXECUTION}/pause", executions.PauseView.as_view(), name="pause"),
    path(f"{EXECUTION}/resume", executions.ResumeView.as_view(), name="resume"),
    path(EXECUTION, executions.ExecutionView.as_view(), name="execution"),
    path(f"{CALLBACK}/succeed", callbacks.SucceedView.as_view(), name="succeed"),
    path(f"{CALLBACK}/fail", callbacks.FailView.as_view(), name="fail"),
    path(f"{CALLBACK}/heartbeat", callbacks.HeartbeatView.as_view(), name="heartbeat"),
    re_path(r"^20(?:15-03-31|25-12-01)/(?s:.*)$", invocations.UnknownView.as_view(), name="unknown"),
]
