"""What a person or a key may do, and on which functions. Every door, list and action asks here.

Rights come from a person's own permissions (for all functions) and from groups. A group that names function patterns gives its rights for
those functions only; the rights of several groups add up. A key narrows the rights of its person to its scopes and its functions.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied

from durable_ops.models.api_key import ApiKey
from durable_ops.models.rights import OF_NO_FUNCTION, RIGHT_LABELS, Right
from execution_engine.core.errors import CommandError, ExecutionNotFoundError, FunctionNotFoundError
from execution_engine.selectors.functions import function_names, function_of

APP = "durable_ops"
_KEPT = "_durable_access"


class RightMissingError(PermissionDenied):
    """The actor lacks `right`."""

    def __init__(self, right: Right) -> None:
        super().__init__(f"You need the right {right.value!r}: {RIGHT_LABELS[right].lower()}.")
        self.right = right


@dataclass(frozen=True, slots=True)
class Scope:
    """The functions that a right holds for: those that match at least one pattern of every set; all functions when there is no set."""

    sets: tuple[frozenset[str], ...] = ()

    @property
    def is_everything(self) -> bool:
        return not self.sets

    def covers(self, function: str) -> bool:
        return all(any(fnmatchcase(function, pattern) for pattern in patterns) for patterns in self.sets)

    def includes(self, other: "Scope") -> bool:
        """Whether it certainly covers all that the other one covers: each of its sets contains every pattern of one of the other's sets."""
        return all(any(all(_is_within(one, own) for one in theirs) for theirs in other.sets) for own in self.sets)

    def narrowed(self, patterns: Collection[str]) -> "Scope":
        return Scope((*self.sets, frozenset(patterns))) if patterns else self

    def widened(self, patterns: Collection[str]) -> "Scope":
        """With the functions of these patterns added; everything when there are none. Only for a scope that no key has narrowed."""
        return Scope((self.sets[0] | frozenset(patterns),)) if patterns and self.sets else EVERYTHING


def _is_within(pattern: str, patterns: Collection[str]) -> bool:
    """Whether a pattern matches nothing that none of `patterns` matches. Its own `*` and `?` count as characters: `pay-*` is within
    `p*`, but not within `pay-?`."""
    return pattern in patterns or any(fnmatchcase(pattern, one) and ("*" not in pattern or "?" not in one) for one in patterns)


EVERYTHING = Scope()


class Access:
    """The rights of one person, or of one key, each with the functions it holds for.

    Made once per request. `known_keys` keeps that of a busy key for a second.
    """

    def __init__(self, scopes: Mapping[Right, Scope], key: ApiKey | None = None) -> None:
        self.scopes = scopes
        self.key = key
        self.masking: Any = None  # what `selectors/masking.py`, a layer above, has read for this access
        self._functions: dict[Scope, frozenset[str]] = {}

    def may(self, right: Right, function: str | None = None) -> bool:
        """Without `function`: whether the right holds for at least one function, known or not. No query."""
        scope = self.scopes.get(right)
        return scope is not None and (function is None or scope.covers(function))

    def require(self, right: Right, function: str | None = None, hidden: CommandError | None = None) -> None:
        """Raises RightMissingError (403 at every door).

        For a function that this person may not even see, raises `hidden` instead, a 404; by default FunctionNotFoundError.
        """
        if right not in self.scopes:
            raise RightMissingError(right)
        if function is not None and not self.may(right, function):
            if self.may(Right.VIEW_EXECUTION, function):
                raise RightMissingError(right)
            raise hidden or FunctionNotFoundError("There is no such function.", function=function[:100])

    def has_all(self, right: Right) -> bool:
        """True when the right holds for every function."""
        scope = self.scopes.get(right)
        return scope is not None and scope.is_everything

    def may_on(self, right: Right, execution_id: UUID) -> bool:
        """As `may`, for the function of an execution. One query if the right is limited to functions, otherwise none."""
        if not self.may(right) or self.has_all(right):
            return self.may(right)
        function = function_of(execution_id)
        return function is not None and self.may(right, function)

    def require_on(self, right: Right, execution_id: UUID) -> None:
        """As `require`, for the function of an execution. The execution of a function that this person may not see counts as not found.

        Raises RightMissingError, ExecutionNotFoundError. One query if the right is limited to functions, otherwise none.
        """
        self.require(right)
        if self.has_all(right):
            return
        hidden = ExecutionNotFoundError("There is no such execution.", execution_id=str(execution_id))
        function = function_of(execution_id)
        if function is None:
            raise hidden
        self.require(right, function, hidden)

    def functions_for(self, right: Right) -> frozenset[str] | None:
        """The names of the registered functions that the right holds for, None for all: lists and counts are filtered by it.

        At most one query, and only if the right is limited to functions.
        """
        scope = self.scopes.get(right)
        return frozenset() if scope is None else self._names(scope)

    def functions_of_key(self) -> frozenset[str] | None:
        """The functions that a key is limited to, None for all: for what needs no right, such as one's own approvals."""
        return self._names(EVERYTHING.narrowed(self.key.functions if self.key else ()))

    def require_of_key(self, right: Right, function: str | None = None, hidden: CommandError | None = None) -> None:
        """What a key must be allowed, even where its person needs no right. Raises RightMissingError, `hidden`."""
        if self.key is None:
            return
        if self.key.scopes and right.value not in self.key.scopes:
            raise RightMissingError(right)
        if function is not None and hidden is not None and not EVERYTHING.narrowed(self.key.functions).covers(function):
            raise hidden

    def _names(self, scope: Scope) -> frozenset[str] | None:
        if scope.is_everything:
            return None
        if scope not in self._functions:
            self._functions[scope] = frozenset(name for name in function_names() if scope.covers(name))
        return self._functions[scope]

    def chosen(self, right: Right, function: str) -> frozenset[str] | None:
        """As `functions_for`, narrowed to one function if a name is given."""
        if not function:
            return self.functions_for(right)
        return frozenset({function} if self.may(right, function) else ())

    def missing(self, other: "Access") -> Right | None:
        """The first right that the other one has and this one lacks, or has for fewer functions; None when there is none."""
        for right, scope in other.scopes.items():
            own = self.scopes.get(right)
            if own is None or not own.includes(scope):
                return right
        return None

    def narrowed(self, key: ApiKey) -> "Access":
        """What is left of these rights for the key."""
        kept = {right: scope for right, scope in self.scopes.items() if not key.scopes or right.value in key.scopes}
        limited = {right: scope.narrowed(key.functions) for right, scope in kept.items()}
        return Access({right: scope for right, scope in limited.items() if scope.is_everything or right not in OF_NO_FUNCTION}, key)


ALL = Access(dict.fromkeys(Right, EVERYTHING))


def access_of(user: Any, key: ApiKey | None = None) -> Access:
    """The rights of an active person, or of their key. Two queries the first time, as with Django's own permissions; then kept on `user`.

    A person whom a key signed in (`user.durable_key`, set where the key was found) has only what the key leaves, whoever asks.
    """
    if not user.is_active or user.pk is None:
        return Access({})
    if user.is_superuser:
        whole = ALL
    else:
        whole = user.__dict__.get(_KEPT) or user.__dict__.setdefault(_KEPT, Access(_scopes(user)))
    key = key or user.__dict__.get("durable_key")
    if key is None or not (key.scopes or key.functions):
        return whole
    kept: Access = key.__dict__.get(_KEPT) or key.__dict__.setdefault(_KEPT, whole.narrowed(key))
    return kept


def has_right(user: Any, right: Right, function: str | None = None) -> bool:
    """True for an active user whose groups or own permissions hold the right (for this function), and for active superusers."""
    return access_of(user).may(right, function)


def require(user: Any, right: Right, function: str | None = None) -> None:
    """Raises as `Access.require`."""
    access_of(user).require(right, function)


def access_of_role(rights: Collection[str], patterns: Collection[str]) -> Access:
    """The rights that a group gives by itself: for the functions of these patterns, or for all when there are none."""
    scope = EVERYTHING.narrowed(patterns)
    return Access({right: scope for right in Right if right.value in rights and (scope.is_everything or right not in OF_NO_FUNCTION)})


def _scopes(user: Any) -> dict[Right, Scope]:
    known = {right.value: right for right in Right}
    own = {known[name] for app, _, name in (text.partition(".") for text in user.get_user_permissions()) if app == APP and name in known}
    scopes: dict[Right, Scope] = dict.fromkeys(own, EVERYTHING)
    for right, patterns in _of_groups(user, known):
        if patterns and right in OF_NO_FUNCTION:
            continue
        there = scopes.get(right)
        scopes[right] = EVERYTHING.narrowed(patterns) if there is None else there.widened(patterns)
    return scopes


def _of_groups(user: Any, known: Mapping[str, Right]) -> list[tuple[Right, frozenset[str]]]:
    """Each right of each group, with the group's patterns. One query."""
    found: dict[tuple[int, Right], set[str]] = defaultdict(set)
    rows = Permission.objects.filter(group__in=user.groups.all(), content_type__app_label=APP, codename__in=known)
    for name, group, pattern in rows.values_list("codename", "group__id", "group__function_patterns__pattern"):
        found[group, known[name]] |= {pattern} if pattern is not None else set()
    return [(right, frozenset(patterns)) for (_, right), patterns in found.items()]
