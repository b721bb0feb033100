"""Addresses below `/api/v1/` that are no route: a problem document, not the console's page."""

from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView


class NoRouteView(APIView):
    """Says nothing about anything, so it asks for no right."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, *_: object, **__: object) -> None:
        raise NotFound("There is no such route; see /api/v1/schema.")
