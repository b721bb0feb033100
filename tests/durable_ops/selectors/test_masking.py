"""Masked fields: what is hidden, what stays byte for byte, and for whom."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from pytest_django import DjangoAssertNumQueries

from durable_ops.models import Protection
from durable_ops.permissions import access_of
from durable_ops.selectors.masking import MASK, MOST_VALUES, NO_MASKS, Masks, masking_of
from tests.durable_ops.people import make_user


def masks(*paths: str) -> Masks:
    return Masks(tuple(tuple(path.casefold().split(".")) for path in paths))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("card_number", {"card_number": "4111", "a": 1}, {"card_number": MASK, "a": 1}),
        ("card_number", {"a": [{"b": {"Card_Number": 4111}}]}, {"a": [{"b": {"Card_Number": MASK}}]}),
        ("card_number", {"card_number": {"all": "of it"}}, {"card_number": MASK}),
        ("card_number", {"card_number": None}, {"card_number": MASK}),
        ("customer.iban", {"customer": {"iban": "DE"}, "iban": "shown"}, {"customer": {"iban": MASK}, "iban": "shown"}),
        ("customer.iban", {"customer": [{"iban": "DE"}]}, {"customer": [{"iban": MASK}]}),
        ("customer.*", {"customer": {"a": 1, "b": 2}}, {"customer": {"a": MASK, "b": MASK}}),
        ("card_*", {"card_number": 1, "card_cvc": 2, "cards": 3}, {"card_number": MASK, "card_cvc": MASK, "cards": 3}),
        ("iban", {"inner": '{"iban": "DE"}'}, {"inner": '{"iban": "•••"}'}),
        ("iban", {"ErrorMessage": "iban: DE12 is wrong, id=7"}, {"ErrorMessage": "iban: ••• is wrong, id=7"}),
        ("iban", [1, "text", None, True], [1, "text", None, True]),
    ],
)
def test_value(path: str, value: Any, expected: Any) -> None:
    assert masks(path).value(value) == expected
    assert json.loads(masks(path).text(json.dumps(value)) or "") == expected


@pytest.mark.parametrize("text", ['{ "a" : 1.10 ,"b":1e400}', "null", '"x"', "[1, 2]", "12345678901234567890123"])
def test_text_without_masked_fields_stays_byte_for_byte(text: str) -> None:
    assert masks("iban").text(text) == text


@pytest.mark.parametrize("text", ["not json iban", "", "[" * 100_000, '{"iban": 1, "b": 1e400}'])
def test_what_cannot_be_looked_into_is_hidden_whole(text: str) -> None:
    assert masks("iban").text(text) == MASK


@pytest.mark.parametrize("inner", ["[" * 100_000, "[" * 5_000 + "]" * 5_000], ids=["open", "closed"])
def test_text_in_a_value_that_is_too_deep_is_hidden_alone(inner: str) -> None:
    assert masks("iban").event({"Error": {"ErrorMessage": inner, "ErrorType": "E"}}) == {"Error": {"ErrorMessage": MASK, "ErrorType": "E"}}


@pytest.mark.parametrize("text", [r'{"iban": 1, "b": "\ud83d"}', r'{"b": "{\"iban\": 1, \"c\": \"\\ud83d\"}"}'])
def test_half_a_surrogate_pair_stays_an_escape_that_can_be_sent(text: str) -> None:
    shown = masks("iban").text(text) or ""
    assert shown.encode()
    assert (MASK in shown, r"\ud83d" in shown) == (True, True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('charged {"card_number": "4111 1111", "a": 1}', 'charged {"card_number": •••, "a": 1}'),
        ("card_number=4111, then", "card_number=•••, then"),
        ("{'card_number': '4111'}", "{'card_number': •••}"),
        ("the card_number is unknown", "the card_number is unknown"),
    ],
)
def test_free_text(text: str, shown: str) -> None:
    assert masks("customer.card_number").free(text) == shown


def test_no_masks_hand_on_the_very_object() -> None:
    value = {"card_number": 1}
    assert NO_MASKS.value(value) is value
    assert NO_MASKS.text("not json") == "not json"


@pytest.mark.django_db
def test_rules_of_settings_and_table_add_up_for_whom_they_hold(settings: Any, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    settings.DURABLE_MASKED_FIELDS = {"*": ["iban"]}
    Protection.objects.create(pattern="payments-*", masked=["card_number"])
    Protection.objects.create(pattern="orders", needs_second_person=True)
    viewer, admin = make_user("viewer"), make_user("administrator")
    viewer_access, admin_access = access_of(viewer), access_of(admin)
    with django_assert_num_queries(1):
        assert masking_of(viewer_access).of("payments-eu").paths == (("card_number",), ("iban",))
        assert masking_of(viewer_access).of("orders").paths == (("iban",),)
        assert masking_of(viewer_access).hides_attribute("Card_Number")
    with django_assert_num_queries(0):
        assert masking_of(admin_access).of("payments-eu") is NO_MASKS
        assert not masking_of(admin_access).hides_attribute("iban")
    viewer.user_permissions.add(Permission.objects.get(codename="view_masked"))
    assert masking_of(access_of(type(viewer).objects.get(pk=viewer.pk))).of("payments-eu") is NO_MASKS


CARD = "4111 2222 3333"
PAYLOADS = [json.dumps({"card_number": CARD, "customer": {"pin": 98765}, "note": "plain"}), "no JSON"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Card {CARD} was declined", f"Card {MASK} was declined"),
        ("declined: 98765.", f"declined: {MASK}."),
        ("a plain note", "a plain note"),
        (r'{"heard": "caf\u00e9"}', '{"heard": "•••"}'),
        ('said "caf\\u00e9"', f'said "{MASK}"'),
    ],
)
def test_values_of_masked_fields_are_masked_in_texts(text: str, shown: str) -> None:
    knowing = masks("card_number", "customer.*", "said").knowing([*PAYLOADS, '{"inner": "{\\"said\\": \\"café\\"}"}'])
    assert knowing.free(text) == shown


def test_values_of_masked_fields_are_masked_under_other_names() -> None:
    knowing = masks("card_number", "pin").knowing(PAYLOADS)
    assert knowing.value({"number": CARD, "code": 98765, "n": 9876}) == {"number": MASK, "code": MASK, "n": 9876}
    assert knowing.text(f'{{"Error": "of {CARD}"}}') == f'{{"Error": "of {MASK}"}}'


def test_short_values_are_left_and_too_many_hide_every_text() -> None:
    assert masks("pin").knowing(['{"pin": 123}']).free("123 items") == "123 items"
    many = json.dumps({"pin": [f"value-{number}" for number in range(MOST_VALUES + 1)]})
    for texts in ([many], None):
        assert masks("pin").knowing(texts).free("anything") == MASK
        assert masks("pin").knowing(texts).value({"n": 5, "s": "x"}) == {"n": 5, "s": MASK}


@pytest.mark.parametrize("text", ['a="' * 50_000, "ab" * 100_000, 'card_number=\\"' * 20_000, "a" + " " * 200_000, "x" * 200_000])
def test_masking_a_long_text_takes_the_time_of_its_length(text: str) -> None:
    assert len(masks("card_number", "*a*a*a*a*a*a*a*b").free(text) or "") <= 2 * len(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r'{"card_number": "41\"11", "a": 1', '{"card_number": •••, "a": 1'),
        (r'"{\"card_number\": \"41 11\", \"a\": 1"', r'"{\"card_number\": •••, \"a\": 1"'),
        ("?card_number=4111&a=1", "?card_number=•••"),
        ("X-Card_Number: 4111", "X-Card_Number: •••"),
        ("my_token = abc", "my_token = •••"),
    ],
)
def test_what_is_written_around_a_value_goes_with_it(text: str, shown: str) -> None:
    assert masks("card_number", "*token").free(text) == shown
