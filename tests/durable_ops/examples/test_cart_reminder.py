"""`cart-reminder`: a day later, one mail or none."""

import pytest
from django.core.mail import EmailMessage
from django.db.models.functions import Now

from durable_ops.examples.cart_reminder import cart_reminder
from durable_ops.examples.models import Cart
from execution_engine import Duration
from execution_engine.sdk.registry import find_function
from execution_engine.testing import DurableExecutionTestClient

pytestmark = pytest.mark.django_db

EVENT = {"cart_id": "C-1", "email": "ada@example.com"}
A_DAY = Duration.from_hours(24)


def test_forgotten_cart_is_reminded_of_after_a_day(client: DurableExecutionTestClient, mailoutbox: list[EmailMessage]) -> None:
    execution = client.start_execution(cart_reminder, EVENT)
    execution.skip_time(Duration(A_DAY.seconds - 1))
    assert (execution.status, mailoutbox) == ("RUNNING", [])
    execution.skip_time(Duration(1))
    assert execution.get_result() == {"status": "reminded", "cart_id": "C-1"}
    (mail,) = mailoutbox
    assert mail.to == ["ada@example.com"]
    assert "C-1" in mail.body


def test_cart_that_was_checked_out_is_left_alone(client: DurableExecutionTestClient, mailoutbox: list[EmailMessage]) -> None:
    cart = Cart.objects.create(cart_id="C-1")
    execution = client.start_execution(cart_reminder, EVENT)
    Cart.objects.filter(pk=cart.pk).update(checked_out_at=Now())
    execution.skip_time(A_DAY)
    assert execution.get_result() == {"status": "checked_out", "cart_id": "C-1"}
    assert mailoutbox == []


def test_cart_reminder_lives_25_hours_and_is_kept_30_days() -> None:
    function = find_function("cart-reminder")
    assert (function.execution_timeout, function.retention_days) == (25 * 3600, 30)
