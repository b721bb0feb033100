"""Production's bounds for executions in memory, which know no settings: the project's own where Django is set up, else the defaults."""

from execution_engine.conf import EngineSettings, engine_settings
from execution_engine.services import checks


def largest_payload() -> int:
    """In bytes."""
    from django.conf import settings  # the kit also serves tests of handlers that know no Django

    return engine_settings().MAX_PAYLOAD_BYTES if settings.configured else EngineSettings().MAX_PAYLOAD_BYTES


def check_payload(text: str | None, field: str) -> None:
    """Raises `InvalidInputError`, `PayloadTooLargeError`."""
    checks.check_payload(text, field, largest_payload())
