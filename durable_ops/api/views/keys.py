"""API keys: one's own, and everybody's for whoever manages keys."""

from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.actions import api_keys as actions
from durable_ops.api.access import RestView, actor_of
from durable_ops.api.paging import newest
from durable_ops.api.serializers import documents, keys, requests
from durable_ops.api.serializers.strict import read
from durable_ops.models import ApiKey, Right
from durable_ops.permissions import access_of
from execution_engine.core.errors import InvalidInputError


class KeysView(RestView):
    rights: ClassVar = {"GET": None, "POST": None}
    once_only: ClassVar = frozenset({"key"})

    @documents.reads("list_keys", documents.page_of(keys.KeyDocument), requests.PageQuery)
    def get(self, request: Request) -> Response:
        """Newest first, ended ones too: your own, or everybody's with the right to manage keys."""
        limit = read(requests.PageQuery, request.query_params.dict())["limit"]
        return newest(request, actions.visible_keys(access_of(request.user), request.user), limit, keys.key)

    @documents.commands("create_key", keys.KeyBody, {201: keys.NewKeyDocument})
    def post(self, request: Request) -> Response:
        """A key that may do what you may do, or less. The whole key is in this answer and nowhere else."""
        body = read(keys.KeyBody, request.data)
        made = actions.create_key(
            actor_of(request),
            user=_user(request, body["user"]),
            name=body["name"],
            expires_at=body["expires_at"],
            limits=actions.KeyLimits(body["scopes"], body["functions"]),
            for_aws=body["for_aws"],
        )
        return Response(keys.new_key(made), status=201)


class KeyView(RestView):
    rights: ClassVar = {"GET": None}

    @documents.reads("get_key", keys.KeyDocument)
    def get(self, request: Request, key_id: int) -> Response:
        return Response(keys.key(_find(request, key_id)))


class RotateKeyView(RestView):
    rights: ClassVar = {"POST": None}
    once_only: ClassVar = frozenset({"key"})

    @documents.commands("rotate_key", keys.RotateBody, {201: keys.NewKeyDocument})
    def post(self, request: Request, key_id: int) -> Response:
        """A new key like this one; the old one goes on for `overlap_hours`, then it ends. A key may rotate itself."""
        body = read(keys.RotateBody, request.data)
        hours = body["overlap_hours"]
        made = actions.rotate_key(actor_of(request), key_id, overlap_hours=hours)
        return Response(keys.new_key(made), status=201)


class RevokeKeyView(RestView):
    rights: ClassVar = {"POST": None}

    @documents.commands("revoke_key", None, {200: keys.KeyDocument})
    def post(self, request: Request, key_id: int) -> Response:
        """Ends it at once and for good."""
        read(requests.EmptyBody, request.data)
        actions.revoke_key(actor_of(request), key_id)
        return Response(keys.key(_find(request, key_id)))


def _find(request: Request, key_id: int) -> ApiKey:
    return actions.visible_key(access_of(request.user), request.user, key_id)


def _user(request: Request, name: str | None) -> Any:
    """Who has no right to other people's keys does not learn who there is."""
    users = get_user_model()
    if name is None or name == request.user.get_username():
        return request.user
    if not access_of(request.user).may(Right.MANAGE_KEYS):
        raise PermissionDenied("You make keys for yourself.")
    found = users._default_manager.filter(**{users.USERNAME_FIELD: name}, is_active=True).first()
    if found is None:
        raise InvalidInputError("There is no active person of this name.", field="user", value=name)
    return found
