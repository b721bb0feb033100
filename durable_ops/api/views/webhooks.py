"""Webhooks and what was sent to them."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import webhooks as actions
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.paging import newest, page
from durable_ops.api.serializers import documents, requests
from durable_ops.api.serializers import webhooks as shapes
from durable_ops.api.serializers.strict import read
from durable_ops.models import Right, Webhook
from durable_ops.webhooks.listing import deliveries_in


class WebhooksView(RestView):
    rights: ClassVar = {"GET": Right.MANAGE_WEBHOOKS, "POST": Right.MANAGE_WEBHOOKS}
    once_only = frozenset({"secret"})

    @documents.reads("list_webhooks", documents.page_of(shapes.WebhookDocument))
    def get(self, request: Request) -> Response:
        """All of them: there are at most 100."""
        read(requests.EmptyBody, request.query_params.dict())
        return page(request, [shapes.webhook(hook) for hook in Webhook.objects.order_by("id")], None)

    @documents.commands("create_webhook", shapes.CreateWebhookBody, {201: shapes.NewWebhookDocument})
    def post(self, request: Request) -> Response:
        """Its `secret` is in this answer and nowhere else."""
        body = read(shapes.CreateWebhookBody, request.data)
        new = actions.create_webhook(actor_of(request), types=body.pop("events"), **body)
        return Response({**shapes.webhook(actions.find_webhook(new.webhook.pk)), "secret": new.secret}, status=201)


class WebhookView(RestView):
    rights: ClassVar = {"GET": Right.MANAGE_WEBHOOKS, "PATCH": Right.MANAGE_WEBHOOKS, "DELETE": Right.MANAGE_WEBHOOKS}

    @documents.reads("get_webhook", shapes.WebhookDocument)
    def get(self, request: Request, webhook_id: int) -> Response:  # noqa: ARG002
        return Response(shapes.webhook(actions.find_webhook(webhook_id)))

    @documents.commands("change_webhook", shapes.ChangeWebhookBody, {200: shapes.WebhookDocument})
    def patch(self, request: Request, webhook_id: int) -> Response:
        """Changes what the body names; with `is_active` it is switched off and on."""
        body = read(shapes.ChangeWebhookBody, request.data)
        reason = body.pop("reason")
        return Response(shapes.webhook(actions.change_webhook(actor_of(request), webhook_id, body, reason=reason)))

    @documents.commands("delete_webhook", None, {204: None})
    def delete(self, request: Request, webhook_id: int) -> Response:
        """For good, with its deliveries, sent or not."""
        query = read(requests.ReasonBody, request.query_params.dict())
        actions.remove_webhook(actor_of(request), webhook_id, reason=query["reason"])
        return Response(status=204)


class RotateWebhookView(RestView):
    rights: ClassVar = {"POST": Right.MANAGE_WEBHOOKS}
    once_only = frozenset({"secret"})

    @documents.commands("rotate_webhook_secret", requests.EmptyBody, {200: shapes.NewWebhookDocument})
    def post(self, request: Request, webhook_id: int) -> Response:
        """A new secret; for 24 hours the old one signs as well."""
        read(requests.EmptyBody, request.data)
        new = actions.rotate_secret(actor_of(request), webhook_id)
        return Response({**shapes.webhook(new.webhook), "secret": new.secret})


class TestWebhookView(RestView):
    rights: ClassVar = {"POST": Right.MANAGE_WEBHOOKS}

    @documents.commands("test_webhook", requests.EmptyBody, {202: shapes.DeliveryDocument})
    def post(self, request: Request, webhook_id: int) -> Response:
        """Promises a delivery of the event `webhook.test`; a worker sends it within a second or two."""
        read(requests.EmptyBody, request.data)
        return Response(shapes.delivery(actions.send_test(actor_of(request), webhook_id)), status=202)


class DeliveriesView(RestView):
    rights: ClassVar = {"GET": Right.MANAGE_WEBHOOKS}

    @documents.reads("list_deliveries", documents.page_of(shapes.DeliveryDocument), shapes.DeliveriesQuery)
    def get(self, request: Request, webhook_id: int) -> Response:
        """Newest first."""
        query = read(shapes.DeliveriesQuery, request.query_params.dict())
        return newest(request, deliveries_in(actions.find_webhook(webhook_id), query["state"]), query["limit"], shapes.delivery)


class RedeliverView(RestView):
    rights: ClassVar = {"POST": Right.MANAGE_WEBHOOKS}

    @documents.commands("redeliver", requests.EmptyBody, {202: shapes.DeliveryDocument})
    def post(self, request: Request, delivery_id: int) -> Response:
        """Again from the first attempt on, under the same webhook-id."""
        read(requests.EmptyBody, request.data)
        return Response(shapes.delivery(actions.redeliver(actor_of(request), delivery_id)), status=202)
