"""People and groups in Django's admin, by the console's two rules: nobody gives or takes rights they do not hold; every change is audited.

Whoever may change a person can become that person, by a new password or mail address. People and groups with more rights than the
person who looks are therefore read-only.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from durable_ops.actions import people, roles
from durable_ops.actions.giving import Holding, RightNotHeldError, difference, held_by_person, held_by_role, require_all
from durable_ops.audit import log
from durable_ops.django_admin.site import actor_of
from durable_ops.permissions import Access
from execution_engine.core.errors import CommandError

NOTHING = Holding(Access({}))


class AuditedRightsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """For models that give rights. A change and its audit row are one transaction; `object_type` names the model in the audit log."""

    object_type = ""

    def held(self, instance: Any) -> Holding:
        """The rights that the stored `instance` gives."""
        raise NotImplementedError

    def facts(self, instance: Any) -> dict[str, Any]:
        """What an audit row keeps of `instance`, as JSON values; never a password."""
        raise NotImplementedError

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _one_act(request):
            return super().changelist_view(request, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _one_act(request):
            return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _one_act(request):
            return super().delete_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        stored = self.model._default_manager.filter(pk=obj.pk).first() if change else None
        form.held_before, form.facts_before = (self.held(stored), self.facts(stored)) if stored else (NOTHING, None)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        require_all(actor_of(request), *difference(form.held_before, self.held(form.instance)))
        facts = {"before": form.facts_before, "after": self.facts(form.instance)}
        self._append(request, form.instance, "change" if change else "add", {**facts, "fields": sorted(form.changed_data)})

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for one in queryset:
            self._append(request, one, "remove", {"before": self.facts(one)})
        return super().log_deletions(request, queryset)

    def _may_touch(self, request: HttpRequest, instance: Model | None) -> bool:
        try:
            if instance is not None:
                require_all(actor_of(request), self.held(instance))
        except RightNotHeldError:
            return False
        return True

    def _append(self, request: HttpRequest, instance: Any, verb: str, facts: dict[str, Any]) -> None:
        log.append(actor_of(request), log.Act(f"{self.object_type}.{verb}", self.object_type, str(instance), facts=facts))


class AuditedUserAdmin(AuditedRightsAdmin, UserAdmin):  # type: ignore[type-arg]
    """The page of a person. A project with a user model of its own inherits from it."""

    object_type = "person"

    def held(self, instance: Any) -> Holding:
        return held_by_person(instance)

    def facts(self, instance: Any) -> dict[str, Any]:
        names = ("is_active", "is_staff", "is_superuser")
        permissions = instance.user_permissions.values_list("content_type__app_label", "codename")
        return {
            "name": instance.get_username(),
            **{name: getattr(instance, name) for name in names},
            "groups": sorted(instance.groups.values_list("name", flat=True)),
            "permissions": sorted(f"{app}.{codename}" for app, codename in permissions),
        }

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with _one_act(request):
            return super().user_change_password(request, id, form_url)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's page for a new password saves without `save_model`; this is the only method that it calls afterwards."""
        if request.resolver_match is not None and request.resolver_match.url_name == "auth_user_password_change":
            self._append(request, obj, "password", {"usable": obj.has_usable_password()})
        return super().log_change(request, obj, message)


class AuditedGroupAdmin(AuditedRightsAdmin, GroupAdmin):
    object_type = "role"

    def held(self, instance: Any) -> Holding:
        return held_by_role(instance)

    def facts(self, instance: Any) -> dict[str, Any]:
        permissions = instance.permissions.values_list("content_type__app_label", "codename")
        return {"name": instance.name, **roles.facts(instance), "permissions": sorted(f"{app}.{codename}" for app, codename in permissions)}


def take_over(site: admin.AdminSite) -> None:
    """Replaces Django's own pages of people and groups; pages that a project registered itself stay."""
    for model, plain, audited in ((get_user_model(), UserAdmin, AuditedUserAdmin), (Group, GroupAdmin, AuditedGroupAdmin)):
        if site.is_registered(model) and type(site.get_model_admin(model)) is plain:
            site.unregister(model)
            site.register(model, audited)


@contextmanager
def _one_act(request: HttpRequest) -> Iterator[None]:
    """Makes a POST one transaction. A CommandError rolls it back and becomes PermissionDenied, the one refusal that the admin shows."""
    try:
        with transaction.atomic(), people.administrator_stays() if request.method == "POST" else nullcontext():
            yield
    except CommandError as error:
        raise PermissionDenied(error.message) from error
