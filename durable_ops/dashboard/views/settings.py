"""Settings: one's own API keys, people and their roles, how long executions are kept."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from durable_ops.actions import api_keys, people
from durable_ops.dashboard.access import actor_of, console_view, person_of
from durable_ops.dashboard.acting import act_once, posted
from durable_ops.dashboard.forms.settings import DryRunForm, KeyForm, PersonForm, RevokeForm, RotateForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.dashboard.views.roles import described_roles
from durable_ops.models import ApiKey, Right
from durable_ops.models.rights import RIGHT_LABELS
from durable_ops.permissions import access_of, has_right
from execution_engine.core.errors import CommandError
from execution_engine.selectors import retention as kept_executions
from execution_engine.selectors.functions import function_names

KEYS_SHOWN = 200
PEOPLE_SHOWN = 500


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.VIEW_EXECUTION)
def keys(request: HttpRequest) -> HttpResponse:
    """One's own keys, or everybody's for those who manage keys; a new key is in the answer to its POST and nowhere else."""
    form, made, status = KeyForm(posted(request)), None, 200
    if request.method == "POST":
        if form.is_valid():
            made = _make_key(request, form)
        status = 200 if made else 422
        form = KeyForm() if made else form
    sees_all = has_right(request.user, Right.MANAGE_KEYS)
    found = api_keys.visible_keys(access_of(request.user), request.user).order_by("revoked_at", "-created_at")
    if request.GET.get("whose") != "all":
        found = found.filter(user=person_of(request))
    context = {"keys": found[:KEYS_SHOWN], "form": form, "made": made, "sees_all": sees_all, "now": timezone.now()}
    context |= {"shows_all": sees_all and request.GET.get("whose") == "all", "tab": "keys"}
    access = access_of(request.user)
    context["rights"] = [(right.value, RIGHT_LABELS[right]) for right in Right if access.may(right)]
    context["chosen"] = form["scopes"].value() or ()
    return render_page(request, "settings/keys.html", context, fragment="keys", status=status)


def _make_key(request: HttpRequest, form: KeyForm) -> api_keys.NewKey | None:
    days = form.cleaned_data["days"]
    expires_at = timezone.now() + timedelta(days=days) if days else None
    try:
        limits = api_keys.KeyLimits(form.cleaned_data["scopes"], form.cleaned_data["functions"])
        return api_keys.create_key(
            actor_of(request), user=request.user, name=form.cleaned_data["name"], expires_at=expires_at, limits=limits,
            for_aws=form.cleaned_data["for_aws"],
        )  # fmt: skip
    except CommandError as error:
        form.add_error(error.facts.get("field") if error.facts.get("field") in form.fields else None, error.message)
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.VIEW_EXECUTION)
def revoke_key(request: HttpRequest, key_id: int) -> HttpResponse:
    key = _find_key(request, key_id)
    form = RevokeForm(posted(request))

    def act() -> tuple[str, str]:
        api_keys.revoke_key(actor_of(request), key_id)
        return f"Key {key.name} is revoked; programs that use it are refused from now on.", reverse("dashboard:settings")

    done = act_once(request, form, act)
    if isinstance(done, HttpResponse):
        return done
    return render_page(request, "settings/revoke.html", {"key": key, "form": form}, fragment="form", status=done)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.VIEW_EXECUTION)
def rotate_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """The new key is in the answer to the POST and nowhere else."""
    key, made = _find_key(request, key_id), None
    form = RotateForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = api_keys.rotate_key(actor_of(request), key_id, overlap_hours=form.cleaned_data["overlap_hours"])
                status = 200
            except CommandError as error:
                form.add_error(None, error.message)
                status = error.status
    context = {"key": key, "form": form, "made": made, "tab": "keys"}
    return render_page(request, "settings/rotate.html", context, fragment="form", status=status)


def _find_key(request: HttpRequest, key_id: int) -> ApiKey:
    found = api_keys.visible_keys(access_of(request.user), request.user).filter(pk=key_id).first()
    if found is None:
        raise Http404("There is no such key.")
    return found


@console_view(Right.MANAGE_PEOPLE)
def people_list(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    found = get_user_model().objects.prefetch_related("groups").order_by("-is_active", "username")
    if text:
        found = found.filter(username__icontains=text)
    roles = described_roles()
    names = [one["name"] for one in roles]
    context = {"people": [_person(user, names) for user in found[:PEOPLE_SHOWN]], "q": text, "tab": "people"}
    return render_page(request, "settings/people.html", context, fragment="rows")


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_PEOPLE)
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    user = get_user_model().objects.prefetch_related("groups").filter(pk=user_id).first()
    if user is None:
        raise Http404("There is no such person.")
    roles = described_roles()
    names = [one["name"] for one in roles]
    row = _person(user, names)
    form = PersonForm(posted(request), initial={"roles": row["roles"], "is_active": user.is_active}, roles=names)

    def act() -> tuple[str, str]:
        people.change_person(actor_of(request), user_id, **form.cleaned_data)
        return f"{user.get_username()} was changed.", reverse("dashboard:people")

    done = act_once(request, form, act)
    if isinstance(done, HttpResponse):
        return done
    context = {"person": row, "form": form, "roles": roles, "tab": "people"}
    return render_page(request, "settings/person.html", context, fragment="form", status=done)


@console_view(Right.VIEW_AUDIT)
def retention(request: HttpRequest) -> HttpResponse:
    """What is kept per function; with `?function=&days=` what another retention would remove, without removing it."""
    functions = access_of(request.user).functions_for(Right.VIEW_AUDIT)
    names = function_names() if functions is None else sorted(functions)
    form = DryRunForm(request.GET or None, functions=names)
    trial = None
    if form.is_bound and form.is_valid():
        trial = kept_executions.dry_run(form.cleaned_data["function"], form.cleaned_data["days"])
    context = {"kept": kept_executions.kept(functions), "form": form, "trial": trial, "tab": "retention"}
    return render_page(request, "settings/retention.html", context, fragment="trial")


def _person(user: Any, roles: Sequence[str]) -> dict[str, Any]:
    groups = {group.name for group in user.groups.all()}
    return {"user": user, "roles": [role for role in roles if role in groups], "groups": sorted(groups - set(roles))}
