"""NUL, which PostgreSQL keeps in no text and nobody types: an address with one leads nowhere, and forms and searches are read without."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, QueryDict

NUL = "\x00"


def has_nul(values: Iterable[object]) -> bool:
    """Of what stands in an address."""
    return any(isinstance(value, str) and NUL in value for value in values)


def drop_nul(request: HttpRequest) -> None:
    """From what a page is sent, names of fields as well; reads the body of a form."""
    request.GET = _without_nul(request.GET)
    request.POST = _without_nul(request.POST)


def _without_nul(sent: QueryDict) -> Any:
    if not any(has_nul((key, *texts)) for key, texts in sent.lists()):
        return sent
    found = QueryDict(mutable=True, encoding=sent.encoding)
    for key, texts in sent.lists():
        found.setlistdefault(key.replace(NUL, "")).extend(text.replace(NUL, "") for text in texts)
    found._mutable = False
    return found
