"""A cart that is still there after a day gets one friendly mail.

Input: {"cart_id": "C-1", "email": "ada@example.com"}
"""

from typing import Annotated, Any, TypedDict

from durable_ops.examples import mail
from durable_ops.examples.models import Cart
from execution_engine import DurableContext, Duration, durable_execution


class CartInput(TypedDict):
    cart_id: str
    email: str


@durable_execution(name="cart-reminder", version="1", execution_timeout=Duration.from_hours(25), retention=Duration.from_days(30))
def cart_reminder(event: Annotated[dict[str, Any], CartInput], context: DurableContext) -> dict[str, str]:
    """Waits 24 hours, then reminds the customer unless the cart was checked out meanwhile.

    Ends with {"status": "reminded" | "checked_out", "cart_id"}.
    """
    cart_id, email = str(event["cart_id"]), event["email"]
    context.wait(Duration.from_hours(24), name="a-day")

    if context.step("look-at-cart", lambda: is_checked_out(cart_id)):
        return {"status": "checked_out", "cart_id": cart_id}
    context.step("remind", lambda: mail.send("cart_reminder", to=email, subject="Your cart is waiting", cart_id=cart_id))
    return {"status": "reminded", "cart_id": cart_id}


def is_checked_out(cart_id: str) -> bool:
    return Cart.objects.filter(cart_id=cart_id, checked_out_at__isnull=False).exists()
