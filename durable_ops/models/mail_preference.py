"""Which mails a person wants. Owner: `approvals/`. Kept as long as the person; without a row they get all."""

from django.conf import settings
from django.db import models


class MailPreference(models.Model):
    """The inbox of the console shows everything, whatever is chosen here."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+")
    requests = models.BooleanField(default=True, help_text="when an approval is put to them, also by escalation")
    reminders = models.BooleanField(default=True, help_text="when an approval still waits")

    class Meta:
        db_table = "durable_ops_mail_preference"
        default_permissions = ()

    def __str__(self) -> str:
        return f"mails to {self.user}"
