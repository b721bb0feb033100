"""What every page does whose POST acts once: a bad form or a refusal shows the page again and says why, a success leads on."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from execution_engine.core.errors import CommandError

PLAN = "plan"
"""Posted with a form by its page, which shows anew what would happen: values that were typed belong into no address."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked before something is done; `components/_question.html` shows it."""

    title: str
    text: str
    button: str
    icon: str
    look: str = "primary"
    needs_reason: bool = False
    hint: str = "Kept in the audit log."


def posted(request: HttpRequest) -> QueryDict | None:
    """Also an empty body is one: its form is then told what is missing."""
    return request.POST if request.method == "POST" else None


def act_once(request: HttpRequest, form: forms.Form, act: Callable[[], tuple[str, str]]) -> HttpResponse | int:
    """`act` answers the words of a success and the address to go on to. Answers the redirect there, or the status of the page that
    shows the form: 200 when nothing was posted to act on, 422 for a form that is not valid, else the refusal's own."""
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
