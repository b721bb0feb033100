"""Everything that executions were given and made, as the texts that are stored: for who must know what a text for people may repeat."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import connection

_SIZES = """
select id, sum(bytes), count(*) from (
  select id, octet_length(attributes::text) + coalesce(octet_length(input), 0) + coalesce(octet_length(result), 0)
           + coalesce(octet_length(error), 0) as bytes
    from durable_execution where id = any(%(ids)s)
  union all
  select execution_id, coalesce(octet_length(payload), 0) + coalesce(octet_length(error), 0)
    from durable_operation where execution_id = any(%(ids)s) and (payload is not null or error is not null)
) as t group by id"""
_TEXTS = """
select id, text from (
  select id, unnest(array[attributes::text, input, result, error]) as text from durable_execution where id = any(%(ids)s)
  union all
  select execution_id, unnest(array[payload, error]) from durable_operation where execution_id = any(%(ids)s)
) as t where text is not null"""


def stored_texts(execution_ids: Collection[UUID], *, most_bytes: int, most_rows: int) -> Mapping[UUID, list[str]]:
    """Attributes, input, result, error, and of each operation payload and error; whoever has more than may be read has no key.

    Two queries; sizes are known to PostgreSQL without reading the texts.
    """
    if not execution_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SIZES, {"ids": list(execution_ids)})
        found: dict[UUID, list[str]] = {row[0]: [] for row in cursor if row[1] <= most_bytes and row[2] <= most_rows}
        cursor.execute(_TEXTS, {"ids": list(found)})
        for execution_id, text in cursor:
            found[execution_id].append(text)
    return found
