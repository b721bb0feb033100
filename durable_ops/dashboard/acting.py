"""For pages whose POST acts once: a bad form or a refusal shows the page again and says why; a success leads to the next page."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from execution_engine.core.errors import CommandError

PLAN = "plan"
"""A form posted with this asks to see again what would happen, without acting: values that people typed must not stand in an address."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked before an act; `components/_question.html` shows it."""

    title: str
    text: str
    button: str
    icon: str
    look: str = "primary"
    needs_reason: bool = False
    hint: str = "Kept in the audit log."


def posted(request: HttpRequest) -> QueryDict | None:
    """The posted values, None for any other method. An empty body counts as posted: its form then says what is missing."""
    return request.POST if request.method == "POST" else None


def act_once(request: HttpRequest, form: forms.Form, act: Callable[[], tuple[str, str]]) -> HttpResponse | int:
    """Acts if a valid form was posted; `act` returns the words of success and the address to go to.

    Returns the redirect there, or else the status of the page that shows the form: 200 when nothing was posted to act on, 422 for a form
    that is not valid, and a refusal's own status.
    """
    if request.method != "POST" or PLAN in request.POST:
        return 200
    if not form.is_valid():
        return 422
    try:
        words, address = act()
    except CommandError as error:
        form.add_error(None, error.message)
        return error.status
    messages.success(request, words)
    return HttpResponseRedirect(address)
