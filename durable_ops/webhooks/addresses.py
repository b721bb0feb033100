"""Where a webhook may lead: to public addresses, and to those that this installation allows, by the address that is really called.

A name is resolved once for each attempt, every address it has is judged, and the connection goes to one of these: a name that answers
differently a moment later (DNS rebinding) gains nothing.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from execution_engine.core.errors import InvalidInputError

MAX_URL_LENGTH = 2_000

_NAT64 = ip_network("64:ff9b::/96")
# Public by the tables of some Python versions. In order: protocols (and a cloud's metadata), translators of one's own network,
# sites, translated IPv4, segment routing, documentation.
_NOT_PUBLIC = tuple(map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10", "::ffff:0:0:0/96", "5f00::/16", "3fff::/20")))
Address = IPv4Address | IPv6Address


class ForbiddenAddressError(Exception):
    """Nothing is sent there; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """`host` is in ASCII and for the Host header and the certificate; `path` holds the query."""

    is_secure: bool
    host: str
    port: int
    path: str


def parse(url: str) -> Target:
    """Raises InvalidInputError for what no webhook can be sent to, whatever its name resolves to."""
    if not url.isascii() or len(url) > MAX_URL_LENGTH or any(one <= " " or one == "\x7f" for one in url):
        raise _invalid(f"is longer than {MAX_URL_LENGTH} characters, or not plain ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("is no address") from None
    if parts.scheme not in ("https", "http"):
        raise _invalid("must begin with https://")
    if not parts.hostname or "%" in parts.hostname or "\\" in url:
        raise _invalid("names no host")
    if parts.username is not None or parts.password is not None:
        raise _invalid("must not hold a user name or password: what is sent is signed")
    if parts.fragment or port == 0:
        raise _invalid("must have no fragment and a port from 1 to 65535")
    is_secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(is_secure, parts.hostname, port or (443 if is_secure else 80), path)
    if not is_secure and not any(network.is_loopback for network in _allowed_networks()):
        raise _invalid("must begin with https://")
    return target


def parse_new(url: str) -> Target:
    """As `parse`, and judges a host that is written in numbers; a name is judged when it is called."""
    target = parse(url)
    try:
        check(ip_address(target.host), is_secure=target.is_secure)
    except ForbiddenAddressError as error:
        raise _invalid(f"is refused: {error}") from error
    except ValueError:
        return target
    return target


def resolve(target: Target) -> list[Address]:
    """The addresses that may be called, at least one.

    Raises ForbiddenAddressError when one of the name's addresses may not be called, OSError when there is no such name.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise ForbiddenAddressError(f"{target.host!r} is no host name") from error
    addresses = list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
    for address in addresses:
        check(address, is_secure=target.is_secure)
    return addresses


def check(address: Address, *, is_secure: bool) -> None:
    """Raises ForbiddenAddressError for an address of this machine, its network or a cloud's metadata, however it is written."""
    for one in _embedded(address):
        is_allowed = any(one.version == network.version and one in network for network in _allowed_networks())
        is_public = one.is_global and not any(one.version == network.version and one in network for network in _NOT_PUBLIC)
        if one.is_link_local or one.is_multicast or one.is_unspecified or not (is_public or is_allowed):
            raise ForbiddenAddressError(f"{address} is no public address; WEBHOOK_ALLOWED_NETWORKS names others that are allowed")
        if not is_secure and not one.is_loopback:
            raise ForbiddenAddressError("plain http goes to this machine only")


def _embedded(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 addresses that an IPv6 address can carry: what a translator on the way would call."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    if address in _NAT64 or 1 < int(address) < 2**32:  # the latter is an old way to write IPv4 addresses, ::127.0.0.1
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _allowed_networks() -> list[IPv4Network | IPv6Network]:
    return [ip_network(text) for text in settings.WEBHOOK_ALLOWED_NETWORKS]


def _invalid(words: str) -> InvalidInputError:
    return InvalidInputError(f"The address of a webhook {words}.", field="url")
