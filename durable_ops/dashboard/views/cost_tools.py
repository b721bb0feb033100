"""What if, and the price book."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from durable_ops.actions import prices as actions
from durable_ops.costs.calculator import EXAMPLES, Scenario, estimate
from durable_ops.costs.prices import BOOK_WORDS, price_book
from durable_ops.costs.spans import utc_today
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.acting import posted
from durable_ops.dashboard.forms.costs import CalculatorForm, PriceForm, initial
from durable_ops.dashboard.htmx import page_url, render_page
from durable_ops.models import Right
from durable_ops.permissions import has_right
from execution_engine.core.errors import InvalidInputError


@console_view(Right.VIEW_EXECUTION)
def calculator(request: HttpRequest) -> HttpResponse:
    """A scenario in the query, or `example` of EXAMPLES, or the first example's numbers at AWS's list price."""
    example = EXAMPLES.get(request.GET.get("example", ""))
    values = initial(example.scenario if example else Scenario())
    is_asked = bool(set(request.GET) & set(CalculatorForm.base_fields))
    form = CalculatorForm({**values, **request.GET.dict()} if is_asked else values)
    is_valid = form.is_valid()
    context = {
        "form": form,
        "estimate": estimate(form.scenario(), price_book(), utc_today()) if is_valid else None,
        "example": example if not is_asked else None,
        "examples": EXAMPLES,
    }
    return render_page(request, "costs/calculator.html", context, fragment="result", url=page_url(request))


@console_view(Right.VIEW_EXECUTION)
def prices(request: HttpRequest) -> HttpResponse:
    """The price book; POST adds a price."""
    form = PriceForm(posted(request), initial={"valid_from": utc_today(), "per": 1})
    if request.method == "POST":
        actor = actor_of(request)
        actor.require(Right.MANAGE_PRICES)
        if form.is_valid():
            try:
                actions.add_price(actor, **form.price())
            except InvalidInputError as error:
                form.add_error(str(error.facts.get("field")), error.message)
            else:
                messages.success(request, "The price is in the book. Days that are over keep the price they had.")
                return redirect("dashboard:costs_prices")
    book = price_book()
    today = utc_today()
    rows: list[dict[str, Any]] = [
        {"price": price, "is_current": book.find(price.book, price.item, today) == price, "is_ahead": price.valid_from > today}
        for price in book.prices
    ]
    books = [{"words": words, "rows": [row for row in rows if row["price"].book is name]} for name, words in BOOK_WORDS.items()]
    context = {"books": books, "form": form, "may_add": has_right(request.user, Right.MANAGE_PRICES), "today": today}
    return render_page(request, "costs/prices.html", context, fragment="content", status=400 if form.errors else 200)
