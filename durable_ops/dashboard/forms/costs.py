"""The calculator's numbers and the form of a new price."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from durable_ops.costs.bills import BASIS_WORDS, Basis
from durable_ops.costs.calculator import Scenario
from durable_ops.costs.prices import BOOK_WORDS, ITEMS, Book, Item
from durable_ops.dashboard.forms.fields import ReasonForm

BILLION = 1_000_000_000


class CalculatorForm(forms.Form):
    """Reads a Scenario from a query; what is left out has the Scenario's own value."""

    basis = forms.ChoiceField(label="Prices", choices=[(one.value, words) for one, words in BASIS_WORDS.items()])
    volume = forms.IntegerField(label="Executions a month", min_value=0, max_value=BILLION)
    operations = forms.IntegerField(
        label="Durable operations each", min_value=0, max_value=25_000, help_text="the start, attempts of steps, waits, callbacks"
    )
    seconds = forms.DecimalField(label="Seconds of compute each", min_value=0, max_value=31_622_400, max_digits=16, decimal_places=6)
    memory_mb = forms.IntegerField(label="Memory, MB", min_value=128, max_value=10_240)
    kilobytes = forms.DecimalField(label="Payload each, kB", min_value=0, max_value=10_000_000, max_digits=16, decimal_places=6)
    months = forms.DecimalField(label="Months retained", min_value=0, max_value=120, max_digits=10, decimal_places=4)
    invocations = forms.IntegerField(label="Requests each", min_value=0, max_value=25_000, help_text="one, and one per wake-up")
    wait_seconds = forms.IntegerField(label="Seconds of waiting each", min_value=0, max_value=31_622_400, help_text="costs nothing")
    transitions = forms.IntegerField(
        label="Transitions each", min_value=0, max_value=25_000, help_text="on Step Functions; 0: as many as operations"
    )
    elsewhere = forms.DecimalField(
        label="Lambda there, USD", min_value=0, max_value=BILLION, max_digits=16, decimal_places=4, required=False,
        help_text="if known; empty: the same compute",
    )  # fmt: skip

    def scenario(self) -> Scenario:
        values: dict[str, Any] = {**self.cleaned_data, "basis": Basis(self.cleaned_data["basis"])}
        return Scenario(**values)


def initial(scenario: Scenario) -> dict[str, Any]:
    """What the form is filled with for a scenario."""
    values = {name: getattr(scenario, name) for name in CalculatorForm.base_fields}
    return {name: value.value if isinstance(value, Basis) else value for name, value in values.items() if value is not None}


class PriceForm(ReasonForm):
    book = forms.ChoiceField(choices=[(one.value, words) for one, words in BOOK_WORDS.items()])
    item = forms.ChoiceField(choices=[(one.value, f"{item.words}, per {item.unit}") for one, item in ITEMS.items()])
    amount = forms.DecimalField(min_value=Decimal(0), max_value=Decimal(BILLION), max_digits=21, decimal_places=12)
    per = forms.IntegerField(min_value=1, max_value=BILLION)
    valid_from = forms.DateField()
    source = forms.CharField(max_length=500)

    def price(self) -> dict[str, Any]:
        found = self.cleaned_data
        since: date = found["valid_from"]
        return {**found, "book": Book(found["book"]), "item": Item(found["item"]), "valid_from": since}
