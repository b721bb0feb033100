"""Mails of the examples. Call it inside a step: a finished step is never run again, so a replay sends nothing.

Only a process that dies between sending and recording leaves a mail that is sent again; what must not happen twice even then,
such as a payment, belongs into an atomic step.
"""

from typing import Any

from django.core.mail import send_mail
from django.template.loader import render_to_string


def send(template: str, *, to: str, subject: str, **facts: Any) -> None:
    """Sends `templates/emails/<template>.txt` to one address; raises what the mail backend raises."""
    # What a customer typed may stand in a subject; a line break there would be refused as a forged header.
    send_mail(" ".join(subject.split()), render_to_string(f"emails/{template}.txt", facts), None, [to])
