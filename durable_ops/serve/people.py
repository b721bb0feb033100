"""The demo people of a first start: one per role, with passwords nobody can guess."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from django.db import transaction

# A reserved domain that can never receive mail; it also marks who was made here, so that nobody else's password is touched.
DOMAIN = "demo.invalid"
GROUPS = {
    "admin": ("administrator", "managers", "finance"),
    "operator": ("operator",),
    "approver": ("approver", "managers", "finance"),
    "viewer": ("viewer",),
}


@dataclass(frozen=True)
class DemoPerson:
    """A sign-in to show once."""

    name: str
    password: str
    role: str


@transaction.atomic
def make_demo_people(password: str = "") -> list[DemoPerson]:
    """Make the demo people in a database without people, and return the sign-ins to show.

    With `password` (DEMO_PASSWORD) existing demo people get it too, so that an unattended start can rely on it. A database that has
    people of its own stays as it is.
    """
    demo = {user.username: user for user in User.objects.filter(email__endswith=f"@{DOMAIN}")}
    if not demo and User.objects.exists():
        return []
    shown = []
    for name, groups in GROUPS.items():
        user = demo.get(name)
        if user is None and not demo:
            user = User(username=name, email=f"{name}@{DOMAIN}", is_superuser=name == "admin", is_staff=name == "admin")
            chosen = password or secrets.token_urlsafe(9)
        elif user is not None and password and not user.check_password(password):
            chosen = password
        else:
            continue
        user.set_password(chosen)
        user.save()
        user.groups.add(*(Group.objects.get_or_create(name=group)[0] for group in groups))
        shown.append(DemoPerson(name, chosen, groups[0]))
    return shown
