"""Who acts, and through which door."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from durable_ops import permissions
from durable_ops.models import ApiKey, Right
from durable_ops.permissions import Access
from execution_engine.core.errors import CommandError
from execution_engine.core.trace import NO_TRACE, Trace


class Channel(StrEnum):
    CONSOLE = "console"
    REST = "rest"
    LAMBDA = "lambda"
    COMMAND = "command"
    MAIL = "mail"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, the key of a person, or (`user=None`) whoever may use the command line of the server.

    `address` is the network address, or for commands the operating system's user. Executions that the actor starts carry its `trace`.
    """

    user: Any
    key: ApiKey | None = None
    channel: Channel | str = Channel.CONSOLE
    address: str = ""
    trace: Trace = NO_TRACE

    @property
    def name(self) -> str:
        """For people to read, in audit rows and in `started_by`."""
        if self.user is None:
            return f"system ({self.address})" if self.address else "system"
        return str(self.user.get_username()) + (f" (key {self.key.name})" if self.key else "")

    @property
    def access(self) -> Access:
        """What the actor may do, and on which functions. The command line needs no right: a shell there gives the database anyway."""
        if self.user is None:
            return permissions.ALL if self.channel == Channel.COMMAND else Access({})
        return permissions.access_of(self.user, self.key)

    def require(self, right: Right, function: str | None = None, hidden: CommandError | None = None) -> None:
        """Raises PermissionDenied; for a function that this actor may not see, `hidden` or else FunctionNotFoundError."""
        self.access.require(right, function, hidden)

    def require_on(self, right: Right, execution_id: UUID) -> None:
        """As `require`, for the function of an execution. Raises PermissionDenied, ExecutionNotFoundError."""
        self.access.require_on(right, execution_id)

    def may(self, right: Right, function: str | None = None) -> bool:
        """As `require`, as an answer: for what only some people are shown."""
        return self.access.may(right, function)
