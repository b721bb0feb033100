"""Nobody tries many passwords, and nobody is led elsewhere after the right one."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from durable_ops.dashboard.views.sign_in import REFUSED_PER_ADDRESS, REFUSED_PER_NAME
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()
    make_user("viewer", "ada")


def sign_in(password: str, name: str = "ada", address: str = "10.0.0.1", **more: str) -> Any:
    return Client(REMOTE_ADDR=address).post("/login/", {"username": name, "password": password, **more})


def test_many_wrong_passwords_of_one_name_are_stopped_at_one_address() -> None:
    answers = [sign_in(f"wrong-{number}", name=("ada", "ADA")[number % 2]) for number in range(REFUSED_PER_NAME)]
    assert {one.status_code for one in answers} == {200}
    late = sign_in("secret")
    assert (late.status_code, late["Retry-After"], "Too many wrong passwords" in late.content.decode()) == (429, "60", True)
    assert sign_in("secret", address="10.0.0.2").status_code == 302
    make_user("viewer", "bea")
    assert sign_in("secret", name="bea").status_code == 302


def test_the_addresses_of_one_network_are_one_place() -> None:
    for number in range(REFUSED_PER_NAME):
        assert sign_in("wrong", address=f"2001:db8::{number + 1:x}").status_code == 200
    assert sign_in("secret", address="2001:db8::ffff").status_code == 429
    assert sign_in("secret", address="2001:db8:0:1::1").status_code == 302


def test_many_names_are_stopped_at_one_address(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for number in range(REFUSED_PER_ADDRESS):
        assert sign_in("secret", name=f"nobody-{number}").status_code == 200
    assert sign_in("secret", name="one-more").status_code == 429


def test_right_passwords_are_not_counted() -> None:
    assert {sign_in("secret").status_code for _ in range(REFUSED_PER_NAME + 2)} == {302}


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:///evil.example"]
)
def test_nobody_is_led_to_another_site(place: str) -> None:
    assert sign_in("secret", next=place)["Location"] == "/"


def test_a_session_of_before_the_sign_in_is_worth_nothing_after_it() -> None:
    client = Client()
    client.get("/login/")
    session = client.session
    session["planted"] = 1
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    client.post("/login/", {"username": "ada", "password": "secret"})
    assert client.cookies["sessionid"].value != before
