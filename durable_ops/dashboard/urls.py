"""Addresses of the console."""

from django.urls import path

from durable_ops.dashboard.views import (
    approvals,
    audit,
    callbacks,
    components,
    cost_tools,
    costs,
    execution,
    execution_actions,
    executions,
    functions,
    mailed_approval,
    navigation,
    overview,
    raw,
    repairs,
    settings,
    start,
)

app_name = "dashboard"

urlpatterns = [
    path("", executions.execution_list, name="home"),
    path("overview/", overview.overview_page, name="overview"),
    path("navigation/", navigation.navigation, name="navigation"),
    path("executions/", executions.execution_list, name="executions"),
    path("executions/counts/", executions.counts, name="counts"),
    path("executions/start/", start.start, name="start"),
    path("executions/<uuid:execution_id>/", execution.execution_detail, name="execution"),
    path("executions/<uuid:execution_id>/stop/", repairs.stop, name="stop"),
    path("executions/<uuid:execution_id>/pause/", repairs.pause, name="pause"),
    path("executions/<uuid:execution_id>/resume/", repairs.resume, name="resume"),
    path("executions/<uuid:execution_id>/redrive/", repairs.redrive, name="redrive"),
    path("executions/<uuid:execution_id>/fork/", repairs.fork, name="fork"),
    path("executions/<uuid:execution_id>/delete/", repairs.delete, name="delete"),
    path("executions/<uuid:execution_id>/signal/", execution_actions.signal, name="signal"),
    path("executions/<uuid:execution_id>/history.json", raw.history, name="history"),
    path("executions/<uuid:execution_id>/events/<int:event_id>/", raw.event, name="event"),
    path("executions/<uuid:execution_id>/payload/<str:key>/", raw.execution_payload, name="payload"),
    path("executions/<uuid:execution_id>/operations/<str:operation_id>/", execution.operation_drawer, name="operation"),
    path(
        "executions/<uuid:execution_id>/operations/<str:operation_id>/<str:key>/", raw.operation_payload, name="operation_payload"
    ),
    path("callbacks/", callbacks.callback_list, name="callbacks"),
    # Without a closing slash: these addresses stand in mails and are made by the engine.
    path("callbacks/<str:callback_id>/approve", callbacks.approve, name="approve"),
    path("callbacks/<str:callback_id>/reject", callbacks.reject, name="reject"),
    path("approvals/", approvals.approval_list, name="approvals"),
    path("approvals/<int:pk>/", approvals.approval_page, name="approval"),
    path("approvals/<int:pk>/decide/", approvals.decide, name="decide_approval"),
    path("approvals/<int:pk>/claim/", approvals.claim, name="claim_approval"),
    path("approvals/<int:pk>/release/", approvals.release, name="release_approval"),
    path("a/<str:token>", mailed_approval.mailed_approval, name="mailed_approval"),
    path("functions/", functions.function_list, name="functions"),
    path("functions/<str:name>/", functions.function_detail, name="function"),
    path("components/", components.components, name="components"),
    path("settings/", settings.keys, name="settings"),
    path("settings/keys/<int:key_id>/revoke/", settings.revoke_key, name="revoke_key"),
    path("settings/people/", settings.people_list, name="people"),
    path("settings/people/<int:user_id>/", settings.person, name="person"),
    path("settings/retention/", settings.retention, name="retention"),
    path("costs/", costs.costs, name="costs"),
    path("costs/costs.csv", costs.costs_export, name="costs_export"),
    path("costs/calculator/", cost_tools.calculator, name="costs_calculator"),
    path("costs/prices/", cost_tools.prices, name="costs_prices"),
    path("audit/", audit.audit_list, name="audit"),
    path("audit/export.<str:kind>", audit.audit_export, name="audit_export"),
]
