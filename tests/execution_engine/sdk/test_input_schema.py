"""What the annotation of the first parameter says about the input."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from pydantic import BaseModel

from execution_engine.sdk.input_schema import schema_of


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Expense(TypedDict):
    expense_id: str
    amount: Annotated[float, "in euros"]
    category: Literal["travel", "meals"]
    receipt_url: NotRequired[str]


@dataclass
class Line:
    article: str
    count: int = 1


@dataclass
class Order:
    lines: list[Line]
    due: date | None = None
    size: Size = Size.SMALL
    tip: Decimal = Decimal(0)
    notes: dict[str, str] = field(default_factory=dict)


class Address(BaseModel):
    street: str


class Customer(BaseModel):
    name: str
    address: Address
    age: int | None = None


class Tree(TypedDict):
    children: "list[Tree]"


EXPENSE = {
    "type": "object",
    "title": "Expense",
    "properties": {
        "expense_id": {"type": "string"},
        "amount": {"type": "number", "description": "in euros"},
        "category": {"enum": ["travel", "meals"]},
        "receipt_url": {"type": "string"},
    },
    "required": ["amount", "category", "expense_id"],
}


def test_typed_dict_is_read() -> None:
    def handler(event: Expense, context: Any) -> None: ...

    assert schema_of(handler) == EXPENSE


def test_annotated_dict_is_described_by_the_type_beside_it() -> None:
    def handler(event: Annotated[dict[str, Any], Expense], context: Any) -> None: ...

    assert schema_of(handler) == EXPENSE


def test_dataclass_is_read_with_defaults_and_nested_types() -> None:
    def handler(event: Order, context: Any) -> None: ...

    line = {
        "type": "object",
        "title": "Line",
        "properties": {"article": {"type": "string"}, "count": {"type": "integer", "default": 1}},
        "required": ["article"],
    }
    assert schema_of(handler) == {
        "type": "object",
        "title": "Order",
        "properties": {
            "lines": {"type": "array", "items": line},
            "due": {"type": "string", "format": "date"},
            "size": {"enum": ["s", "l"]},
            "tip": {"type": "number"},
            "notes": {"type": "object"},
        },
        "required": ["lines"],
    }


def test_pydantic_model_is_read_with_its_references_in_place() -> None:
    def handler(event: Customer, context: Any) -> None: ...

    schema = schema_of(handler)
    assert schema is not None
    assert schema["properties"]["address"]["properties"]["street"]["type"] == "string"
    assert (schema["properties"]["age"]["type"], schema["required"]) == ("integer", ["name", "address"])


def test_type_that_contains_itself_ends() -> None:
    def handler(event: Tree, context: Any) -> None: ...

    schema, depth = schema_of(handler), 0
    while schema and schema.get("type"):
        schema, depth = schema.get("properties", {}).get("children") or schema.get("items"), depth + 1
    assert depth == 6


@pytest.mark.parametrize("annotation", [Any, dict, dict[str, Any], str, "NoSuchType", list[int], int | str])
def test_nothing_to_say_is_no_schema(annotation: Any) -> None:
    def handler(event: Any, context: Any) -> None: ...

    handler.__annotations__["event"] = annotation
    assert schema_of(handler) is None


def test_handler_without_parameters_has_none() -> None:
    assert schema_of(lambda: None) is None
