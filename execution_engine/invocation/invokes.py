"""Finding the function that a chained invoke asks for, and making its child ready to be inserted with the parent's START."""

import re
from dataclasses import replace

from execution_engine.conf import EngineSettings
from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.core.identifiers import execution_arn, new_execution_id
from execution_engine.core.records import ErrorObject, OperationUpdate
from execution_engine.invocation.versions import version_to_start
from execution_engine.journal.children import ChildStart
from execution_engine.journal.writer import Writer
from execution_engine.sdk.errors import CheckpointError

_TARGET = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,140})(?::(?P<version>[A-Za-z0-9$_.-]{1,128}))?"
)


def prepare(
    update: OperationUpdate, settings: EngineSettings, writer: Writer, *, started_by: str
) -> tuple[OperationUpdate, ChildStart | ErrorObject]:
    """The update with what the engine adds, and the child to insert, or the error of a target that nobody registered.

    Accepts a name, `name:version`, or an ARN of this region and account. Raises `CheckpointError` for anything else.
    """
    target = _TARGET.fullmatch(update.options.function or "")
    if target is None or target["region"] not in (None, settings.REGION) or target["account"] not in (None, settings.ACCOUNT):
        raise CheckpointError(f"{update.options.function!r} names no function of this account and region", is_client_error=True)
    name, asked = target["name"], target["version"]
    try:
        with writer.reading() as cursor:
            row = version_to_start(cursor, name, None if asked in (None, "$LATEST") else asked)
    except FunctionNotFoundError as error:
        return update, ErrorObject(message=str(error), type="ResourceNotFoundException")
    child_id = new_execution_id()
    arn = execution_arn(settings.REGION, settings.ACCOUNT, name, row.version, str(child_id), child_id)
    options = replace(update.options, child=arn, child_id=str(child_id), version=row.version)
    child = ChildStart(
        id=child_id,
        function=name,
        version=row.version,
        version_id=row.id,
        execution_timeout=row.execution_timeout,
        retention_days=row.retention_days or settings.RETENTION_DAYS,
        operation_id=update.id,
        input=update.payload,
        tenant_id=update.options.tenant,
        started_by=started_by,
    )
    return replace(update, options=options), child
