"""Files that are sent as their lines are made."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse

KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json", "jsonl": "application/x-ndjson"}


def download(lines: Iterable[str], name: str, form: str) -> StreamingHttpResponse:
    """`name` without its ending, `form` is a key of `KINDS`."""
    answer = StreamingHttpResponse(lines, content_type=KINDS[form])
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer
