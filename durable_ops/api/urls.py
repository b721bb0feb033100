"""Routes of the REST door. No closing slashes: a redirected POST would lose its body."""

from django.urls import path, re_path

from durable_ops.api.views import approvals, audit_chain, batches, callbacks, costs, executions, fallback, functions, repairs, schema

app_name = "api"
urlpatterns = [
    path("executions", executions.ExecutionsView.as_view(), name="executions"),
    path("executions/<str:execution_id>", executions.ExecutionView.as_view(), name="execution"),
    path("executions/<str:execution_id>/explain", executions.ExplainView.as_view(), name="explain"),
    path("executions/<str:execution_id>/logs", executions.LogsView.as_view(), name="logs"),
    path("executions/<str:execution_id>/history", executions.HistoryView.as_view(), name="history"),
    path("executions/<str:execution_id>/operations", executions.OperationsView.as_view(), name="operations"),
    path("executions/<str:execution_id>/stop", executions.StopView.as_view(), name="stop"),
    path("executions/<str:execution_id>/signal", executions.SignalView.as_view(), name="signal"),
    path("executions/<str:execution_id>/pause", repairs.PauseView.as_view(), name="pause"),
    path("executions/<str:execution_id>/resume", repairs.ResumeView.as_view(), name="resume"),
    path("executions/<str:execution_id>/redrive", repairs.RedriveView.as_view(), name="redrive"),
    path("executions/<str:execution_id>/fork", repairs.ForkView.as_view(), name="fork"),
    path("executions/<str:execution_id>/move", repairs.MoveView.as_view(), name="move"),
    path("executions/<str:execution_id>/cost", costs.ExecutionCostView.as_view(), name="execution-cost"),
    path("costs", costs.CostsView.as_view(), name="costs"),
    path("batches", batches.BatchesView.as_view(), name="batches"),
    path("batches/<int:batch_id>", batches.BatchView.as_view(), name="batch"),
    path("batches/<int:batch_id>/items", batches.BatchItemsView.as_view(), name="batch-items"),
    path("batches/<int:batch_id>/confirm", batches.ConfirmBatchView.as_view(), name="batch-confirm"),
    path("batches/<int:batch_id>/abort", batches.AbortBatchView.as_view(), name="batch-abort"),
    path("batches/<int:batch_id>/retry", batches.RetryBatchView.as_view(), name="batch-retry"),
    path("callbacks", callbacks.CallbacksView.as_view(), name="callbacks"),
    path("callbacks/<path:callback_id>/succeed", callbacks.SucceedView.as_view(), name="succeed"),
    path("callbacks/<path:callback_id>/fail", callbacks.FailView.as_view(), name="fail"),
    path("callbacks/<path:callback_id>/heartbeat", callbacks.HeartbeatView.as_view(), name="heartbeat"),
    path("approvals", approvals.ApprovalsView.as_view(), name="approvals"),
    path("approvals/<int:pk>", approvals.ApprovalView.as_view(), name="approval"),
    path("approvals/<int:pk>/decide", approvals.DecideView.as_view(), name="decide"),
    path("approvals/<int:pk>/claim", approvals.ClaimView.as_view(), name="claim"),
    path("approvals/<int:pk>/release", approvals.ReleaseView.as_view(), name="release"),
    path("approvals/<int:pk>/reassign", approvals.ReassignView.as_view(), name="reassign"),
    path("audit/verify", audit_chain.AuditVerifyView.as_view(), name="audit-verify"),
    path("functions", functions.FunctionsView.as_view(), name="functions"),
    re_path(r"^schema/?$", schema.SchemaView.as_view(), name="schema"),
    re_path(r"^.*$", fallback.NoRouteView.as_view(), name="no-route"),
]
