"""Takes the audit tables out of the application's hands: another role owns them, the application may only add and read.

A trigger refuses changes already, but whoever owns a table may drop its trigger. Later migrations that touch these tables need the
owner's rights: run `migrate` as a member of the owner, or as a superuser.
"""

from collections.abc import Sequence

from psycopg import sql

# Owned tables keep their sequence and lose every right that was given before.
_STATEMENTS = """
grant usage, create on schema {schema} to {owner}
alter table {entries} owner to {owner}
alter table {seals} owner to {owner}
alter function {schema}.durable_ops_refuse_audit_change() owner to {owner}
revoke create on schema {schema} from {owner}
revoke all on {entries}, {seals} from public, {application}
grant insert, select on {entries}, {seals} to {application}
grant usage on sequence {sequence} to {application}
"""


def statements(owner: str, application: str, *, schema: str = "public") -> Sequence[sql.Composed]:
    """For one transaction, in order; repeating them changes nothing.

    `application` is the role of DATABASE_URL; `owner` need not be able to sign in. To be executed by a superuser, or by the present
    owner of the tables when it is a member of the new one.
    """
    names = {
        "schema": sql.Identifier(schema),
        "owner": sql.Identifier(owner),
        "application": sql.Identifier(application),
        "entries": sql.Identifier(schema, "durable_ops_audit_entry"),
        "seals": sql.Identifier(schema, "durable_ops_audit_seal"),
        "sequence": sql.Identifier(schema, "durable_ops_audit_entry_id_seq"),
    }
    return [sql.SQL(line).format(**names) for line in _STATEMENTS.strip().splitlines()]
