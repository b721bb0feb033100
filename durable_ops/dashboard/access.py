"""Who may open a page, and as whom a person acts from it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.cache import never_cache

from durable_ops.actions.actor import Actor, Channel
from durable_ops.doors.callers import address_of
from durable_ops.doors.nul import drop_nul, has_nul
from durable_ops.models import Right
from durable_ops.permissions import access_of, require
from durable_ops.selectors.masking import Masks, masking_of
from execution_engine.core.errors import ExecutionNotFoundError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def console_view(right: Right | None) -> Callable[[View[P]], View[P]]:
    """Asks for a sign-in, then for the right (None: any signed-in person). Without the right, 403.

    Pages are never cached, so the browser's Back shows what is true now. An address with an `execution_id` answers 404 if the right is
    limited to functions and the execution belongs to another. A fragment must not become the sign-in page: htmx loads that as a whole.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            if right is not None:
                require(request.user, right)
            if has_nul(kwargs.values()):
                raise Http404("There is nothing at this address.")
            if right is not None and "execution_id" in kwargs:
                _require_on(request.user, right, kwargs["execution_id"])
            drop_nul(request)
            return view(request, *args, **kwargs)

        return never_cache(wrapper)

    return decorate


def _require_on(user: Any, right: Right, execution_id: Any) -> None:
    try:
        access_of(user).require_on(right, execution_id)
    except ExecutionNotFoundError as error:
        raise Http404("There is no such execution. It may have been purged after its retention.") from error


def masks_for(request: HttpRequest, function: str, execution_id: UUID | None = None) -> Masks:
    """What is masked for this person in payloads and attributes of the function; with an id, also in values of that execution."""
    masking = masking_of(access_of(request.user))
    return masking.of(function) if execution_id is None else masking.of_execution(function, execution_id)


def person_of(request: HttpRequest) -> User:
    """Whoever is signed in, as an actor. The view needs `console_view`."""
    assert request.user.is_authenticated
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    return Actor(user=request.user, channel=Channel.CONSOLE, address=address_of(request.META))


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path())
    here = request.headers.get("HX-Current-URL", "/")
    path = here.partition("://")[2].partition("/")[2]
    answer = HttpResponse(status=401)
    answer["HX-Redirect"] = f"{resolve_url('login')}?next=/{path.replace('&', '%26').replace('?', '%3F')}"
    return answer
