"""Which right each route needs, and who asks."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from durable_ops import permissions
from durable_ops.actions.actor import Actor, Channel
from durable_ops.api.parsers import LengthRequiredError
from durable_ops.models import ApiKey, Right


class RightOfRoute(BasePermission):
    """Asks for the right that the view names for the method; a view without `rights` is refused, so none is forgotten."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            raise NotAuthenticated("Send Authorization: Bearer KEY.")
        right = getattr(view, "rights", {}).get(str(request.method))
        if right is None:
            return False
        permissions.require(request.user, right)
        return True


class RestView(APIView):
    """A route of this door: `rights` has a row for each method that it answers."""

    rights: ClassVar[Mapping[str, Right]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            raise LengthRequiredError
        super().initial(request, *args, **kwargs)


def actor_of(request: Request) -> Actor:
    """The corridor's actor behind a request."""
    key = request.auth if isinstance(request.auth, ApiKey) else None
    return Actor(user=request.user, key=key, channel=Channel.REST, address=request.META.get("REMOTE_ADDR", ""))
