"""Demo people come with a first start, with their groups, and never touch anybody else."""

import pytest
from django.contrib.auth.models import User

from durable_ops.serve.people import make_demo_people

pytestmark = pytest.mark.django_db


def groups_of(name: str) -> set[str]:
    return set(User.objects.get(username=name).groups.values_list("name", flat=True))


def test_first_start_makes_one_person_per_role_with_unguessable_passwords() -> None:
    shown = make_demo_people()
    assert [(person.name, person.role) for person in shown] == [
        ("admin", "administrator"),
        ("operator", "operator"),
        ("approver", "approver"),
        ("viewer", "viewer"),
    ]
    assert len({person.password for person in shown}) == 4
    assert all(User.objects.get(username=person.name).check_password(person.password) for person in shown)
    assert groups_of("admin") == {"administrator", "managers", "finance"}
    assert groups_of("approver") == {"approver", "managers", "finance"}


def test_second_start_shows_and_changes_nothing() -> None:
    first = make_demo_people()
    assert make_demo_people() == []
    assert User.objects.get(username="admin").check_password(first[0].password)


def test_demo_password_is_set_on_demo_people_only() -> None:
    make_demo_people()
    User.objects.create_user("ada", "ada@example.com", "her own")
    assert [person.name for person in make_demo_people("from outside")] == ["admin", "operator", "approver", "viewer"]
    assert User.objects.get(username="viewer").check_password("from outside")
    assert User.objects.get(username="ada").check_password("her own")
    assert make_demo_people("from outside") == []


def test_database_with_people_of_its_own_stays_as_it_is() -> None:
    User.objects.create_user("admin", "boss@example.com", "her own")
    assert make_demo_people("from outside") == []
    assert User.objects.get(username="admin").check_password("her own")
