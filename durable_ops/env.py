"""Typed readers of environment variables: the only way settings learn about the outside.

Each reader takes a variable's name and a default, treats an empty value as absent, and raises
`ImproperlyConfigured` naming the variable, its value and what is allowed.
"""

import os
from decimal import Decimal, InvalidOperation
from ipaddress import ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in TRUE or value in FALSE:
        return value in TRUE
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no: use 1 or 0.")


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from error
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={number} is outside {minimum} to {maximum}.")
    return number


def money(name: str, default: str, *, maximum: int) -> Decimal:
    """A sum from 0 to `maximum`, in whatever currency the variable names."""
    value = text(name, default)
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a sum of money like 49.90.") from error
    if not (amount.is_finite() and 0 <= amount <= maximum):
        raise ImproperlyConfigured(f"{name}={value} is outside 0 to {maximum}.")
    return amount


def names(name: str) -> list[str]:
    """The comma separated parts of a variable, without blanks and empty parts."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def networks(name: str) -> list[str]:
    """IP networks, comma separated, as 10.1.0.0/16 or fd00::/8."""
    try:
        return [str(ip_network(one)) for one in names(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={text(name)!r} is no list of networks like 10.1.0.0/16: {error}.") from error


def path(name: str, default: Path) -> Path:
    """An absolute path; a relative value counts from the current directory."""
    value = text(name)
    return Path(value).expanduser().resolve() if value else default
