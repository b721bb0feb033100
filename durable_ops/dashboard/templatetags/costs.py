"""Quantities, prices and shares in templates."""

from decimal import Decimal

from django import template

from durable_ops.costs import bills
from durable_ops.costs.prices import Price
from durable_ops.dashboard.formats import duration_text, money_text

register = template.Library()


@register.filter
def amount(value: Decimal) -> str:
    """US dollars without their name, to the cent."""
    return bills.amount_text(value)


@register.filter
def usd(value: Decimal | None, nothing: str = "–") -> str:
    """As `money` without the name of the currency."""
    return money_text(value).removesuffix(" USD") if value else nothing


@register.filter
def quantity(value: Decimal) -> str:
    return bills.number_text(value)


@register.filter
def price(value: Price) -> str:
    """`8.00 per 1,000,000`, `0.0000166667`."""
    text = bills.price_text(value.amount)
    return text if value.per == 1 else f"{text} per {value.per:,}"


@register.filter
def grouped(value: int) -> str:
    return f"{value:,}"


@register.filter
def milliseconds(value: int) -> str:
    return duration_text(value / 1000)


@register.filter
def share(part: Decimal, whole: Decimal) -> str:
    """`12 %`; less than one percent is said so."""
    if not whole:
        return "0 %"
    percent = part / whole * 100
    return "less than 1 %" if 0 < percent < 1 else f"{percent:.0f} %"


@register.filter
def against(here: Decimal, there: Decimal) -> str:
    """How `there` compares with `here`: `4.2 times as much`, `18 % less`."""
    if not here or not there:
        return "nothing to compare"
    if there >= here * 2:
        return f"{there / here:.1f} times as much"
    percent = (there - here) / here * 100
    return f"{abs(percent):.0f} % {'more' if percent >= 0 else 'less'}"


@register.filter
def listed(value: Decimal) -> str:
    """A price with every digit it has."""
    return bills.price_text(value)
