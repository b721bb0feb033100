"""The safety of checkpoints from outside: each property holds, and each is missed when its guard is taken out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from execution_engine.core.errors import InvalidTokenError
from execution_engine.core.transitions import calls
from execution_engine.core.transitions import execution as transitions
from execution_engine.journal import connections, outside, replies, statements, tokens
from execution_engine.journal.outside import Look
from execution_engine.journal.tokens import Token
from execution_engine.models import StoredReply
from execution_engine.services import checkpoints
from tests.execution_engine.services import safety
from tests.execution_engine.services.caller import claim, step

Patch = pytest.MonkeyPatch


pytestmark = pytest.mark.usefixtures("no_connections_left")


@pytest.mark.parametrize("name", safety.PROPERTIES)
def test_it_holds(name: str) -> None:
    safety.PROPERTIES[name]()


def rewrite(patch: Patch, name: str, before: str, after: str) -> None:
    """One SQL statement without one of its guards."""
    text = statements.statement(name)
    assert before in text
    found = statements.statement
    for module in (outside, checkpoints.flush, checkpoints.store, replies):
        patch.setattr(module, "statement", lambda asked: text.replace(before, after) if asked == name else found(asked))


def no_mac(patch: Patch) -> None:
    patch.setattr(tokens.hmac, "compare_digest", lambda *_: True)


def no_fence(patch: Patch) -> None:
    """Neither the look under the lock nor the statement compares claim and sequence."""
    patch.setattr(checkpoints, "_is_current", lambda *_: True)
    rewrite(patch, "flush", "e.claim_id = a.claim_id and e.checkpoint_seq = a.checkpoint_seq and ", "")


def no_status(patch: Patch) -> None:
    no_fence(patch)
    found, text = checkpoints.flush.statement, checkpoints.flush.statement("flush")
    without = text[: text.index("(e.status = 'RUNNING'")] + "true" + text[text.index(" and (e.deadline_at") :]
    patch.setattr(checkpoints.flush, "statement", lambda asked: without if asked == "flush" else found(asked))


def no_lock(patch: Patch) -> None:
    """The row is read without its lock, and the statement does not compare the sequence that was read."""
    rewrite(patch, "lock_execution", " for no key update", "")
    text = statements.statement("flush").replace("e.checkpoint_seq = a.checkpoint_seq", "true").replace("skip locked", "")
    patch.setattr(checkpoints.flush, "statement", lambda asked: text if asked == "flush" else statements.statement(asked))


def no_arn(patch: Patch) -> None:
    intact = checkpoints._is_current

    def is_current(record: Any, reference: Any, given: Token) -> bool:
        own = replace(reference, id=record.id, function=record.function, name=record.name)
        return intact(record, own, given)

    patch.setattr(checkpoints, "_is_current", is_current)


def no_deadline(patch: Patch) -> None:
    patch.setattr(transitions, "is_past_deadline", lambda *_: False)


def no_stored_reply(patch: Patch) -> None:
    patch.setattr(replies, "keep", lambda *_: None)


def replies_for_ever(patch: Patch) -> None:
    patch.setattr(replies, "KEPT_SECONDS", 10**9)


@contextmanager
def monkeypatched(module: Any, name: str, value: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, value)
        yield


def read_before_the_lock(patch: Patch) -> None:
    intact = outside.look

    def look(own: Any, execution_id: Any, ids: Any, sent_seq: int, call: Any) -> Look:
        found = outside.statement
        with monkeypatched(outside, "statement", lambda name: "select %(id)s::uuid" if name == "lock_execution" else found(name)):
            early = intact(own, execution_id, ids, sent_seq, call).operations
        return replace(intact(own, execution_id, ids, sent_seq, call), operations=early)

    patch.setattr(outside, "look", look)


def nothing_counts_as_sent(patch: Patch) -> None:
    intact = checkpoints._following

    def following(cursor: Any, call: Any, *more: Any, **named: Any) -> Token | None:
        found = intact(cursor, call, *more, **named)
        return None if found is None else replace(found, sent_seq=call.given.sent_seq)

    patch.setattr(checkpoints, "_following", following)


def a_cut_owes_nothing(patch: Patch) -> None:
    intact = checkpoints._queue
    patch.setattr(checkpoints, "_queue", lambda *given, **_: intact(*given, is_cut=False))


def branches_do_not_count(patch: Patch) -> None:
    patch.setattr(outside, "has_open_branches", lambda *_: False)


def every_answer_brings_news(patch: Patch) -> None:
    patch.setattr(calls, "is_waited_for", lambda _: True)


def no_second_try(patch: Patch) -> None:
    """A connection is used as it is found, and an error of it is the answer."""
    intact = checkpoints._transact

    def once(call: Any) -> Any:
        try:
            return intact(call)
        except psycopg.OperationalError as error:
            raise AssertionError("the caller sees a broken connection") from error

    patch.setattr(outside, "_is_usable", lambda _: True)
    patch.setattr(checkpoints, "_transact", once)


VARIANTS: dict[Callable[[Patch], None], tuple[str, ...]] = {
    no_mac: ("altered_tokens_are_refused",),
    no_arn: ("tokens_of_others_are_refused",),
    no_fence: ("a_token_serves_once", "a_lost_claim_records_nothing"),
    no_status: ("a_stopped_execution_records_nothing", "an_ended_execution_records_nothing"),
    no_lock: ("of_many_at_once_one_wins", "the_same_call_at_once_is_one_call"),
    no_deadline: ("after_the_deadline_it_is_timed_out",),
    no_stored_reply: ("a_client_token_is_answered_the_same", "a_lost_answer_is_found_again"),
    replies_for_ever: ("an_old_client_token_is_forgotten",),
    read_before_the_lock: ("a_change_during_a_call_is_told_once",),
    nothing_counts_as_sent: ("a_change_during_a_call_is_told_once",),
    a_cut_owes_nothing: ("a_cut_invocation_is_owed",),
    branches_do_not_count: ("news_that_came_too_late_stays_owed",),
    every_answer_brings_news: ("news_that_came_too_late_stays_owed",),
    no_second_try: ("a_broken_connection_costs_no_answer",),
}
MISSED = [(variant, name) for variant, names in VARIANTS.items() for name in names]
TRIES = 10
"""Races are run until they are lost; what is no race is lost at once."""


@pytest.mark.parametrize(("variant", "name"), MISSED, ids=lambda given: given if isinstance(given, str) else given.__name__)
def test_a_missing_guard_is_noticed(variant: Callable[[Patch], None], name: str, monkeypatch: Patch) -> None:
    with monkeypatch.context() as patch:
        variant(patch)
        for _ in range(TRIES):
            try:
                safety.PROPERTIES[name]()
            except (AssertionError, InvalidTokenError, psycopg.Error):
                return
    pytest.fail(f"{name} holds without its guard")


def test_every_property_has_a_variant() -> None:
    assert {name for _, name in MISSED} == set(safety.PROPERTIES)


def test_a_token_outlives_a_rotation_of_keys(settings: Any) -> None:
    caller = claim()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-another-key-another-key-another-key-12345"
    caller.call(step("START"))
    settings.SECRET_KEY_FALLBACKS = []
    caller.call(step("SUCCEED"))
    old = claim()
    settings.SECRET_KEY = "a-third-key-a-third-key-a-third-key-a-third-key-12345"
    with pytest.raises(InvalidTokenError):
        old.call(step("START"))


def test_old_replies_are_forgotten_by_their_duty() -> None:
    caller = claim()
    for name in ("a", "b"):
        caller.call(client_token=name)
    safety.run_sql(
        "update durable_stored_reply set stored_at = stored_at - interval '16 minutes' where execution_id = %(id)s and client_token = 'a'",
        caller,
    )
    with connections.connect("test") as own:
        replies.forget_old(own)
    assert list(StoredReply.objects.values_list("client_token", flat=True)) == ["b"]
