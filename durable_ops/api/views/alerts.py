"""Alert rules and what they found."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import alerts as actions
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.paging import newest, page
from durable_ops.api.serializers import alerts as shapes
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers.strict import read
from durable_ops.models import Alert, AlertRule, Right


class AlertRulesView(RestView):
    rights: ClassVar = {"GET": Right.MANAGE_WEBHOOKS, "POST": Right.MANAGE_WEBHOOKS}

    @documents.reads("list_alert_rules", documents.page_of(shapes.AlertRuleDocument))
    def get(self, request: Request) -> Response:
        """All of them: there are at most 100."""
        read(requests.EmptyBody, request.query_params.dict())
        return page(request, [shapes.rule(one) for one in AlertRule.objects.order_by("id")], None)

    @documents.commands("create_alert_rule", shapes.CreateAlertRuleBody, {201: shapes.AlertRuleDocument})
    def post(self, request: Request) -> Response:
        """Tells mail addresses or a webhook, or both."""
        made = actions.create_rule(actor_of(request), shapes.values(read(shapes.CreateAlertRuleBody, request.data)))
        return Response(shapes.rule(AlertRule.objects.get(pk=made.pk)), status=201)


class AlertRuleView(RestView):
    rights: ClassVar = {"GET": Right.MANAGE_WEBHOOKS, "PATCH": Right.MANAGE_WEBHOOKS, "DELETE": Right.MANAGE_WEBHOOKS}

    @documents.reads("get_alert_rule", shapes.AlertRuleDocument)
    def get(self, request: Request, rule_id: int) -> Response:  # noqa: ARG002
        return Response(shapes.rule(actions.find_rule(rule_id)))

    @documents.commands("change_alert_rule", shapes.ChangeAlertRuleBody, {200: shapes.AlertRuleDocument})
    def patch(self, request: Request, rule_id: int) -> Response:
        """Changes what the body names; what is open of a rule that is switched off ends without a word."""
        body = read(shapes.ChangeAlertRuleBody, request.data)
        return Response(shapes.rule(actions.change_rule(actor_of(request), rule_id, shapes.values(body), reason=body["reason"])))

    @documents.commands("delete_alert_rule", None, {204: None})
    def delete(self, request: Request, rule_id: int) -> Response:
        """With what it found."""
        query = read(requests.ReasonBody, request.query_params.dict())
        actions.remove_rule(actor_of(request), rule_id, reason=query["reason"])
        return Response(status=204)


class AlertsView(RestView):
    rights: ClassVar = {"GET": Right.MANAGE_WEBHOOKS}

    @documents.reads("list_alerts", documents.page_of(shapes.AlertDocument), requests.BatchesQuery)
    def get(self, request: Request) -> Response:
        """What people were told of, newest first; `resolved_at` is null while it fires."""
        limit = read(requests.BatchesQuery, request.query_params.dict())["limit"]
        return newest(request, Alert.objects.filter(fired_at__isnull=False), limit, shapes.alert)
