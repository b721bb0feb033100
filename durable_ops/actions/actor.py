"""Who acts, through which door."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import PermissionDenied

from durable_ops import permissions
from durable_ops.models import ApiKey, Right


class Channel(StrEnum):
    CONSOLE = "console"
    REST = "rest"
    COMMAND = "command"
    MAIL = "mail"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, the key of a person, or (`user=None`) whoever may use the command line of the server.

    `address` is the network address for console and REST, the operating system's user for commands.
    """

    user: Any
    key: ApiKey | None = None
    channel: Channel | str = Channel.CONSOLE
    address: str = ""

    @property
    def name(self) -> str:
        """For people to read, in audit rows and in `started_by`."""
        if self.user is None:
            return f"system ({self.address})" if self.address else "system"
        return str(self.user.get_username()) + (f" (key {self.key.name})" if self.key else "")

    def require(self, right: Right) -> None:
        """Raises PermissionDenied. The command line needs no right: who has a shell there has the database too."""
        if self.user is None and self.channel == Channel.COMMAND:
            return
        if self.user is None:
            raise permissions.RightMissingError(right)
        permissions.require(self.user, right)

    def may(self, right: Right) -> bool:
        """As `require`, for what is shown only to some."""
        try:
            self.require(right)
        except PermissionDenied:
            return False
        return True
