"""Which functions a group's rights hold for. Owner: `actions/roles.py`. Kept until it is taken away or the group is removed."""

from django.contrib.auth.models import Group
from django.core.validators import RegexValidator
from django.db import models

PATTERN = r"[A-Za-z0-9_*?-]{1,64}"


class FunctionPattern(models.Model):
    """A name of a function, or a pattern with `*` and `?`. A group without any has its rights on all functions."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="function_patterns")
    pattern = models.CharField(
        max_length=64,
        validators=[RegexValidator(rf"^{PATTERN}\Z", "Letters, digits, _ and -, with * for any text and ? for one character.")],
    )

    class Meta:
        db_table = "durable_ops_function_pattern"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["group", "pattern"], name="pattern_once_per_group")]

    def __str__(self) -> str:
        return self.pattern
