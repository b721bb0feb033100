"""`manage.py protect_audit_log --owner durable_audit --application durable_app | psql`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction

from durable_ops.audit.protection import statements
from execution_engine.management.base import DatabaseCommand


class Command(DatabaseCommand):
    help = (
        "Give the audit tables to another database role, which must exist, and leave the application INSERT and SELECT alone. Prints the "
        "SQL; with --apply it is executed by the role of DATABASE_URL, which must then be a superuser. Repeating it changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", required=True, metavar="ROLE", help="the role that owns the tables afterwards; it need not sign in")
        parser.add_argument("--application", required=True, metavar="ROLE", help="the role that the application signs in with")
        parser.add_argument("--apply", action="store_true", help="execute it, in one transaction, instead of printing it")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["owner"] == options["application"]:
            raise CommandError("The owner must be another role than the application.")
        with connection.cursor() as cursor:
            cursor.execute("select current_schema()")
            found = statements(options["owner"], options["application"], schema=cursor.fetchone()[0])
            if not options["apply"]:
                self.stdout.write("begin;\n" + "".join(f"{one.as_string(cursor.connection)};\n" for one in found) + "commit;")
                return
            try:
                with transaction.atomic():
                    for one in found:
                        cursor.execute(one)
            except DatabaseError as error:
                raise CommandError(f"Nothing was changed: {error}") from error
        self.stdout.write(f"The audit tables belong to {options['owner']}; {options['application']} may add and read.")
