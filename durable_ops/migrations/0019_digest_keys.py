from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import migrations, models

import durable_ops.models.approval


def keep(apps: Any, _: Any) -> None:
    """Digests of before had a key that was derived from SECRET_KEY; kept with each approval, they can still be computed again."""
    derived = sha256(f"durable_ops.approvals.shown{settings.SECRET_KEY}".encode()).hexdigest()
    apps.get_model("durable_ops", "Approval").objects.update(digest_key=derived)


class Migration(migrations.Migration):
    """What was shown and decided can be verified without the secret of the settings, also after that was changed."""

    dependencies = [("durable_ops", "0018_asked_groups_by_key")]

    operations = [
        migrations.AddField(
            "approval",
            "digest_key",
            models.CharField(
                default="",
                max_length=64,
                help_text="in hexadecimal, of the digests of what was shown and given, so that none is guessed from",
            ),
            preserve_default=False,
        ),
        migrations.RunPython(keep, migrations.RunPython.noop),
        migrations.AlterField(
            "approval",
            "digest_key",
            models.CharField(
                default=durable_ops.models.approval.new_digest_key,
                max_length=64,
                help_text="in hexadecimal, of the digests of what was shown and given, so that none is guessed from",
            ),
        ),
        migrations.AlterField(
            "shown",
            "digest",
            models.CharField(max_length=64, help_text="HMAC-SHA-256 of the content as canonical JSON, under `digest_key`"),
        ),
    ]
