"""Fields of a start form: what they ask, what they make of what was typed."""

import json
from typing import Any

import pytest

from durable_ops.dashboard.forms.input_form import empty_form, filled_form, posted_form, read_schema, switched

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer", "default": 1},
        "amount": {"type": "number", "description": "in euros"},
        "fast": {"type": "boolean"},
        "size": {"enum": ["s", "l"]},
        "tags": {"type": "array"},
        "due": {"type": "string", "format": "date"},
    },
    "required": ["name", "fast"],
}
TYPED = {"field-name": "Ada", "field-count": "2", "field-amount": "1.5", "field-fast": "on", "field-size": "l", "field-tags": '["a"]'}


def test_fields_know_what_they_ask_for() -> None:
    fields = {field.name: field for field in empty_form(SCHEMA).fields}
    assert {name: field.kind for name, field in fields.items()} == {
        "name": "text", "count": "number", "amount": "number", "fast": "boolean", "size": "choice", "tags": "json", "due": "text",
    }  # fmt: skip
    assert (fields["count"].value, fields["amount"].hint, fields["due"].input_type) == ("1", "in euros", "date")
    assert [name for name, field in fields.items() if field.is_required] == ["name"]


def test_what_was_typed_becomes_json() -> None:
    form = posted_form(SCHEMA, TYPED)
    assert form.text is not None
    assert json.loads(form.text) == {"name": "Ada", "count": 2, "amount": 1.5, "fast": True, "size": "l", "tags": ["a"]}


def test_empty_field_that_is_not_needed_is_left_out() -> None:
    form = posted_form(SCHEMA, {"field-name": "Ada"})
    assert form.text is not None
    assert json.loads(form.text) == {"name": "Ada", "fast": False}


@pytest.mark.parametrize(
    ("typed", "name", "words"),
    [
        ({"field-name": ""}, "name", "needed"),
        ({"field-count": "1.5"}, "count", "whole number"),
        ({"field-amount": "NaN"}, "amount", "a number"),
        ({"field-amount": "many"}, "amount", "a number"),
        ({"field-size": "xl"}, "size", "one of s, l"),
        ({"field-tags": "[1"}, "tags", "JSON"),
        ({"field-tags": '"\\u0000"'}, "tags", "NUL"),
    ],
)
def test_wrong_field_is_told_and_keeps_what_was_typed(typed: dict[str, str], name: str, words: str) -> None:
    form = posted_form(SCHEMA, TYPED | typed)
    [problem] = form.problems
    assert (form.text, problem.name, problem.value) == (None, name, typed[f"field-{name}"])
    assert words in problem.error


def test_old_input_fills_the_form() -> None:
    form = filled_form(SCHEMA, '{"name": "Ada", "tags": [1], "fast": true}')
    assert form is not None
    values = {field.name: field.value for field in form.fields}
    assert (values["name"], values["tags"], values["fast"]) == ("Ada", "[\n  1\n]", "true")


@pytest.mark.parametrize("text", ['{"other": 1}', "[1]", "{nope"])
def test_input_that_the_form_cannot_show_is_left_to_the_editor(text: str) -> None:
    assert filled_form(SCHEMA, text) is None


def test_both_ways_say_the_same() -> None:
    _, text = switched(SCHEMA, TYPED, to_json=True)
    form, _ = switched(SCHEMA, {"input": text}, to_json=False)
    assert form is not None
    assert posted_form(SCHEMA, {field.key: field.value for field in form.fields}).text == text


@pytest.mark.parametrize("text", ["", "{}", '{"properties": {}}', "nonsense", "[]"])
def test_no_schema_is_no_form(text: str) -> None:
    assert read_schema(text) is None
