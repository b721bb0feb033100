"""What of a function's payloads is masked, and whether its edited redrives need a second person.

Owner: `actions/protection.py`. Kept until somebody takes it away.
"""

from django.db import models


class Protection(models.Model):
    """Holds for every function that `pattern` matches; several add up. `masked` are paths as `customer.iban`: `masking.py`."""

    id = models.BigAutoField(primary_key=True)
    pattern = models.CharField(max_length=64, unique=True, help_text="name of a function, or a pattern with * and ?")
    masked = models.JSONField(default=list)
    needs_second_person = models.BooleanField(default=False)

    class Meta:
        db_table = "durable_ops_protection"
        default_permissions = ()

    def __str__(self) -> str:
        return self.pattern
