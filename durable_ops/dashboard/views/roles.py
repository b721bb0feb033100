"""Roles: what they may do, on which functions, and who has them."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from durable_ops.actions import roles as actions
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.acting import act_once, posted
from durable_ops.dashboard.forms.settings import RemoveRoleForm, RoleForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Right
from durable_ops.models.rights import OF_NO_FUNCTION, RIGHT_LABELS
from durable_ops.roles import ADMINISTRATOR, ROLES


@console_view(Right.MANAGE_PEOPLE)
@require_safe
def role_list(request: HttpRequest) -> HttpResponse:
    """The four first roles, then the others by name. Four queries."""
    context = {"roles": described_roles(), "labels": RIGHT_LABELS, "tab": "roles"}
    return render_page(request, "settings/roles.html", context, fragment="rows")


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_PEOPLE)
def new_role(request: HttpRequest) -> HttpResponse:
    form = RoleForm(posted(request))

    def act() -> tuple[str, str]:
        data = form.cleaned_data
        group = actions.add_role(
            actor_of(request), name=data["name"], rights=data["rights"], functions=data["functions"], reason=data["reason"]
        )
        return f"The role {group.name} is made. Give it to people.", reverse("dashboard:roles")

    answer = act_once(request, form, act)
    return answer if isinstance(answer, HttpResponse) else _show(request, form, None, status=answer)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_PEOPLE)
def role(request: HttpRequest, group_id: int) -> HttpResponse:
    group = _find(group_id)
    facts, is_fixed = actions.facts(group), group.name in ROLES
    form = RoleForm(posted(request), initial={"rights": facts["rights"], "functions": "\n".join(facts["functions"])})

    def act() -> tuple[str, str]:
        data = form.cleaned_data
        rights = None if is_fixed else data["rights"]
        actions.change_role(actor_of(request), group_id, rights=rights, functions=data["functions"], reason=data["reason"])
        return f"The role {group.name} was changed.", reverse("dashboard:roles")

    answer = act_once(request, form, act)
    return answer if isinstance(answer, HttpResponse) else _show(request, form, group, status=answer)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_PEOPLE)
def remove_role(request: HttpRequest, group_id: int) -> HttpResponse:
    group = _find(group_id)
    if group.name in ROLES:
        raise Http404("The first roles stay.")
    form = RemoveRoleForm(posted(request))

    def act() -> tuple[str, str]:
        actions.remove_role(actor_of(request), group_id, reason=form.cleaned_data["reason"])
        return f"The role {group.name} is removed.", reverse("dashboard:roles")

    answer = act_once(request, form, act)
    if isinstance(answer, HttpResponse):
        return answer
    context = {"role": group, "members": group.user_set.count(), "form": form, "tab": "roles"}
    return render_page(request, "settings/role_remove.html", context, fragment="form", status=answer)


def described_roles() -> list[dict[str, Any]]:
    """`rights` in the order of `Right`, as words; `functions` empty means all. Three queries."""
    found = actions.role_groups().annotate(members=Count("user", distinct=True)).prefetch_related("permissions", "function_patterns")
    order = {name: place for place, name in enumerate(ROLES)}
    return [_described(group) for group in sorted(found, key=lambda group: (order.get(group.name, len(order)), group.name))]


def _described(group: Any) -> dict[str, Any]:
    held = {permission.codename for permission in group.permissions.all()}
    return {
        "id": group.pk,
        "name": group.name,
        "members": group.members,
        "rights": [RIGHT_LABELS[right] for right in Right if right.value in held],
        "functions": sorted(one.pattern for one in group.function_patterns.all()),
        "is_fixed": group.name in ROLES,
    }


def _show(request: HttpRequest, form: RoleForm, group: Group | None, *, status: int) -> HttpResponse:
    context = {
        "form": form,
        "role": group,
        "is_fixed": group is not None and group.name in ROLES,
        "takes_functions": group is None or group.name != ADMINISTRATOR,
        "rights": [(right.value, label, right in OF_NO_FUNCTION) for right, label in RIGHT_LABELS.items()],
        "chosen": set(form["rights"].value() or ()),
        "tab": "roles",
    }
    return render_page(request, "settings/role.html", context, fragment="form", status=status)


def _find(group_id: int) -> Group:
    group = actions.role_groups().filter(pk=group_id).first()
    if group is None:
        raise Http404("There is no such role.")
    return group
