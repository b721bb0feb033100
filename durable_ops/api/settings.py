"""Settings of Django REST framework for this door, imported by `durable_ops.settings`.

Calls are counted in `rate.py`, bad keys where they are read, in `authentication.py`.
"""

from typing import Any

from execution_engine.selectors.explain import StateCode

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "durable_ops.api.authentication.KeyAuthentication",
        # For the console's own calls and people who are signed in; changes need the CSRF token.
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["durable_ops.api.rights.RightOfRoute"],
    "DEFAULT_PARSER_CLASSES": ["durable_ops.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "durable_ops.api.errors.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
    # A handler may return half a surrogate pair; as an escape it can still be sent.
    "UNICODE_JSON": False,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Durable Ops",
    "DESCRIPTION": "Start, watch, signal and stop durable executions, and answer their callbacks.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "durable_ops.api.examples.add_examples"],
    "ENUM_NAME_OVERRIDES": {
        "ExecutionStatus": "execution_engine.core.enums.ExecutionStatus",
        "OperationStatus": "execution_engine.core.enums.OperationStatus",
        "SegmentKind": ["queued", "running", "waiting", "retry_wait"],
        "AlertKind": ["failed", "stranded", "retry_storm", "old_approval"],
        "ApprovalOutcome": ["waiting", "approved", "rejected", "expired", "withdrawn"],
        "BatchItemOutcome": ["pending", "done", "failed", "skipped"],
        "ExecutionState": [code.value for code in StateCode],
        "DeliveryState": ["waiting", "sent", "given_up"],
    },
}
