"""Which right a route needs. Apart from `access.py`, as DRF reads this module while it makes its own view class."""

from typing import Any

from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from durable_ops import permissions


class RightOfRoute(BasePermission):
    """Asks for the right that the view names for the method; a view without `rights` is refused, so none is forgotten."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            raise NotAuthenticated("Send Authorization: Bearer KEY.")
        method = "GET" if request.method == "HEAD" else str(request.method)
        rights = getattr(view, "rights", {})
        if method not in rights:
            raise MethodNotAllowed(method)
        if rights[method] is not None:
            permissions.require(request.user, rights[method])
        return True
