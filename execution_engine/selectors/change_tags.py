"""A short text that differs whenever an answer about an execution would differ, except for ages: what an ETag is made of."""

import hashlib
from uuid import UUID

from django.db import connection

from execution_engine.selectors.workers import FRESH

_ROW = """
select e.event_seq, e.wake_seq, e.redrive_count, e.status, e.status_text, e.attributes, e.claim_id is not null, e.invocations,
       e.failed_invocations, case when e.claim_id is null then e.due_at end, e.due_at <= clock_timestamp(), e.ended_at, e.version,
       exists (select 1 from durable_worker w
                where w.seen_at > clock_timestamp() - make_interval(secs => %(fresh)s) and not w.is_draining
                  and w.version_ids @> to_jsonb(e.function_version_id))
  from durable_execution e where e.id = %(id)s"""


def read_change_tag(execution_id: UUID) -> str | None:
    """32 hex digits, made of the row, of whether it is due and whether a worker serves its version; None for an unknown id. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_ROW, {"id": execution_id, "fresh": FRESH.total_seconds()})
        row = cursor.fetchone()
    return None if row is None else hashlib.sha256(repr(row).encode()).hexdigest()[:32]
