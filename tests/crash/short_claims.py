"""Claims of four seconds, and a takeover soon after: for workers of tests that freeze one. Loaded through DURABLE_FUNCTION_MODULES."""

from django.conf import settings

from execution_engine.conf import engine_settings
from execution_engine.journal import claims

settings.DURABLE_EXECUTION.update(CLAIM_SECONDS=4, RENEW_SECONDS=1)
engine_settings.cache_clear()
claims.TAKEOVER_GRACE_SECONDS = 0
claims.SEEN_LATELY_SECONDS = 2
