"""`Authorization: Bearer KEY`: a key acts with its user's rights."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from durable_ops.actions import api_keys
from durable_ops.doors.callers import address_of, count_refused_key
from durable_ops.doors.known_keys import KNOWN_KEYS
from durable_ops.models import ApiKey


class KeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names the key."""

    target_class = "durable_ops.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - the shape that is called
        return {"type": "http", "scheme": "bearer"}


class KeyAuthentication(BaseAuthentication):
    """A view names in `quick` the methods whose callers are believed for a second (`known_keys.py`)."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed("Use Authorization: Bearer KEY.")
        key = self._keys(request).find_key(secret.strip())
        if key is None:
            count_refused_key(address_of(request.META))
            raise AuthenticationFailed("This key is unknown, revoked or expired.")
        return key.user, key

    def _keys(self, request: Request) -> Any:
        view = (request.parser_context or {}).get("view")
        return KNOWN_KEYS if request.method in getattr(view, "quick", ()) else api_keys

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the shape that DRF calls
        return 'Bearer realm="durable-ops"'
