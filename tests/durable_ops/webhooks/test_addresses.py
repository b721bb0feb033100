"""Where nothing is sent, however the address is written, and a name that changes its mind."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from durable_ops.actions import webhooks as actions
from durable_ops.models import Delivery
from durable_ops.webhooks import addresses, deliver
from execution_engine.core.errors import InvalidInputError
from tests.durable_ops.webhooks.conftest import SYSTEM, Receiver
from tests.durable_ops.webhooks.test_deliver import send_all

INNER = [
    "127.0.0.1", "127.255.0.3", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:7f00:1::", "::127.0.0.1",
    "64:ff9b:1::7f00:1", "fec0::1", "::ffff:0:127.0.0.1", "5f00::1", "3fff::1", "100.100.100.200", "192.0.0.192",
]  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_addresses_inside_are_refused(address: str, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(addresses.ForbiddenAddressError):
        addresses.check(ip_address(address), is_secure=True)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_public_addresses_are_called(address: str, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    addresses.check(ip_address(address), is_secure=True)


def test_a_network_of_the_house_can_be_allowed_but_never_metadata(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["10.1.0.0/16", "169.254.0.0/16"]
    addresses.check(ip_address("10.1.2.3"), is_secure=True)
    addresses.check(ip_address("::ffff:10.1.2.3"), is_secure=True)
    for forbidden in ("10.2.0.1", "169.254.169.254"):
        with pytest.raises(addresses.ForbiddenAddressError):
            addresses.check(ip_address(forbidden), is_secure=True)
    with pytest.raises(addresses.ForbiddenAddressError, match="plain http"):
        addresses.check(ip_address("93.184.216.34"), is_secure=False)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "http://example.com/", "https://", "https:///x",
        "https://user@example.com/", "https://user:secret@example.com/", "https://example.com:0/", "https://example.com:99999/",
        "https://example.com/#x", "https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com\\@inner/", "https://é.com/",
        "https://[::1", "https://[fe80::1%25eth0]/", "https://example.com/" + "x" * 2000, "javascript:alert(1)", "//example.com/",
    ],
)  # fmt: skip
def test_urls_that_are_no_webhook(url: str, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(InvalidInputError) as refused:
        addresses.parse(url)
    assert refused.value.facts["field"] == "url"


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f000001", "2130706433", "017700000001", "localhost", "[::1]", "[::ffff:7f00:1]"])
def test_this_machine_under_its_other_names(host: str, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises((addresses.ForbiddenAddressError, OSError)):
        addresses.resolve(addresses.parse(f"https://{host}/"))


@pytest.mark.parametrize("address", INNER)
def test_a_forbidden_address_in_numbers_makes_no_webhook(address: str, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(InvalidInputError, match="public address"):
        addresses.parse_new(f"https://{f'[{address}]' if ':' in address else address}/")


def test_a_name_is_judged_when_it_is_called(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert addresses.parse_new("https://example.invalid/").host == "example.invalid"


@pytest.mark.django_db(transaction=True)
def test_a_name_that_changes_its_mind_gains_nothing(
    receiver: Receiver, hook: Callable[..., actions.NewSecret], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """DNS rebinding: public when judged, inner when connected. It is asked once, and the judged address is called."""
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    asked: list[str] = []
    called: list[str] = []
    answers = ["93.184.216.34", "127.0.0.1", "127.0.0.1"]

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[len(asked) - 1], port))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        called.append(address[0])
        raise ConnectionRefusedError("nobody there")

    actions.send_test(SYSTEM, hook(url=f"https://rebinding.example:{receiver.port}/").webhook.pk)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    outcome = deliver.send(Delivery.objects.select_related("webhook").get())
    assert (asked, called) == (["rebinding.example"], ["93.184.216.34"])
    assert "nobody there" in outcome.error and not outcome.is_final


@pytest.mark.django_db(transaction=True)
def test_one_inner_address_among_public_ones_is_enough_to_refuse(
    receiver: Receiver, hook: Callable[..., actions.NewSecret], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    actions.send_test(SYSTEM, hook(url="https://two.example/").webhook.pk)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        outcome = deliver.send(Delivery.objects.select_related("webhook").get())
    assert outcome.is_final and "10.0.0.1 is no public address" in outcome.error


@pytest.mark.django_db(transaction=True)
def test_what_was_allowed_once_is_judged_again_before_each_attempt(
    receiver: Receiver, hook: Callable[..., actions.NewSecret], settings: Any
) -> None:
    actions.send_test(SYSTEM, hook().webhook.pk)
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    send_all()
    assert receiver.heard == []
    assert Delivery.objects.get().due_at is None
