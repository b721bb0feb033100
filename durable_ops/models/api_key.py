"""Keys with which programs call REST. Owner: `actions/api_keys.py`. Kept until the user is removed."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class ApiKey(models.Model):
    """A key acts with the rights of its user, or with those of them that its scopes and functions leave; never with more.

    The key is `dop_<prefix>_<secret>`: the prefix finds the row and may be shown, the secret has 256 random bits. Only
    the SHA-256 of the whole key is stored; a slow password hash would protect nothing that cannot be guessed anyway.
    A key for AWS's signatures (SigV4) is also stored encrypted: to verify a signature is to make it, with the secret itself.
    """

    id = models.BigAutoField(primary_key=True)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, help_text="exact to a minute")
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    scopes = models.JSONField(default=list, help_text="codenames of the rights that it is limited to; empty: all of its person's")
    functions = models.JSONField(default=list, help_text="names or patterns of functions that it is limited to; empty: all")
    replaces = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replaced_by", help_text="it was rotated")
    signing_secret = models.TextField(default="", help_text="the whole key, encrypted with SECRET_KEY; empty unless made for SigV4")

    class Meta:
        db_table = "durable_ops_api_key"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
