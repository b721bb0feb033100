from collections.abc import Callable

from django.test import Client

from durable_ops.dashboard.looks import STATE_LOOKS


def test_every_component_is_shown_in_every_state(sign_in: Callable[[str], Client]) -> None:
    html = sign_in("viewer").get("/components/").content.decode()
    assert [code for code in STATE_LOOKS if code.replace("_", " ").capitalize() not in html] == []
    assert ("<script>alert(1)" in html, "&lt;script&gt;alert(1)" in html) == (False, True)


def test_components_need_a_right(sign_in: Callable[[str], Client]) -> None:
    assert sign_in("nobody").get("/components/").status_code == 403
