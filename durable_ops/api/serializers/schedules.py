"""Bodies, queries and answers of schedules and limits."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers import answers
from durable_ops.api.serializers.requests import MAX_COMMENT, MAX_NAME
from durable_ops.api.serializers.strict import Anything, StrictSerializer, Text
from durable_ops.models import Right
from durable_ops.permissions import Access
from durable_ops.selectors.masking import masking_of
from durable_ops.texts import json_text
from execution_engine.core.attributes import MAX_CONCURRENCY_KEY, MAX_PRIORITY
from execution_engine.core.calendar import MAX_INTERVAL_SECONDS, MAX_RULE_CHARACTERS, MIN_INTERVAL_SECONDS
from execution_engine.core.errors import InvalidInputError
from execution_engine.core.limits import MAX_CONCURRENCY, MAX_SECONDS, Limits
from execution_engine.core.schedules import MAX_CATCH_UP, Overlap, ScheduleValues
from execution_engine.selectors.limits import FunctionLimits
from execution_engine.selectors.schedules import Firing, ScheduleRow, last_firings, next_firings

_OVERLAPS = [one.value for one in Overlap]


class RuleBody(StrictSerializer):
    """One of `cron` and `interval`."""

    cron = Text(required=False, allow_null=True, max_length=MAX_RULE_CHARACTERS, help_text="five fields: minute hour day month weekday")
    interval = serializers.IntegerField(
        required=False, allow_null=True, min_value=MIN_INTERVAL_SECONDS, max_value=MAX_INTERVAL_SECONDS, help_text="seconds"
    )
    timezone = Text(required=False, max_length=100, help_text="IANA name, for cron; UTC when not given")


class ChangeScheduleBody(RuleBody):
    name = Text(required=False, max_length=100)
    function = Text(required=False, max_length=MAX_NAME)
    version = Text(required=False, allow_null=True, max_length=MAX_NAME, help_text="null: the newest at each firing")
    input = Anything(required=False)
    attributes = serializers.DictField(child=Anything(), required=False, help_text="flat: texts, numbers, booleans, null")
    concurrency_key = Text(required=False, allow_null=True, max_length=MAX_CONCURRENCY_KEY)
    priority = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=MAX_PRIORITY, help_text="seconds of head start"
    )
    overlap = serializers.ChoiceField(_OVERLAPS, required=False, help_text="skip: a firing is left out while the last execution is open")
    catch_up = serializers.IntegerField(
        required=False, min_value=0, max_value=MAX_CATCH_UP, help_text="missed firings made up for after a down time, the latest ones"
    )
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class CreateScheduleBody(ChangeScheduleBody):
    name = Text(max_length=100)
    function = Text(max_length=MAX_NAME)
    is_paused = serializers.BooleanField(required=False, default=False)


class RangeBody(StrictSerializer):
    start = serializers.DateTimeField(help_text="included; with an offset")
    end = serializers.DateTimeField(help_text="included, and over")
    dry_run = serializers.BooleanField(required=False, default=False, help_text="only count")
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class PreviewQuery(StrictSerializer):
    cron = Text(required=False, max_length=MAX_RULE_CHARACTERS)
    interval = serializers.IntegerField(required=False, min_value=MIN_INTERVAL_SECONDS, max_value=MAX_INTERVAL_SECONDS)
    timezone = Text(required=False, max_length=100)


class ScheduleDocument(serializers.Serializer[Any]):
    """`input` is left out for whoever may not read payloads; `due_at` is the next firing, null while paused."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    function = serializers.CharField()
    version = serializers.CharField(allow_null=True)
    cron = serializers.CharField(allow_null=True)
    interval = serializers.IntegerField(allow_null=True)
    timezone = serializers.CharField()
    input = Anything(required=False)
    attributes = serializers.DictField(child=Anything())
    concurrency_key = serializers.CharField(allow_null=True)
    priority = serializers.IntegerField(allow_null=True)
    overlap = serializers.ChoiceField(_OVERLAPS)
    catch_up = serializers.IntegerField()
    is_paused = serializers.BooleanField()
    due_at = serializers.DateTimeField(allow_null=True)
    last_fired_at = serializers.DateTimeField(allow_null=True)
    last_execution_id = serializers.UUIDField(allow_null=True)
    last_error = serializers.CharField(allow_blank=True)
    skipped = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(allow_blank=True)


class FiringDocument(serializers.Serializer[Any]):
    moment = serializers.DateTimeField()
    name = serializers.CharField()
    execution_id = serializers.UUIDField(allow_null=True)
    state = serializers.CharField(allow_null=True)


class ScheduleDetailDocument(ScheduleDocument):
    next_firings = serializers.ListField(child=serializers.DateTimeField())
    last_firings = FiringDocument(many=True)


class PreviewDocument(serializers.Serializer[Any]):
    moments = serializers.ListField(child=serializers.DateTimeField())


class TriggeredDocument(serializers.Serializer[Any]):
    """`execution_id` is null when this second had fired already."""

    name = serializers.CharField()
    execution_id = serializers.UUIDField(allow_null=True)


class BackfilledDocument(serializers.Serializer[Any]):
    """`started` leaves out what was started before; null for a dry run. `note` says why a range holds no firing, else null."""

    firings = serializers.IntegerField()
    note = serializers.CharField(allow_null=True)
    started = serializers.ListField(child=serializers.UUIDField(), allow_null=True)


def _bound(text: str, low: int = 1, high: int = MAX_CONCURRENCY, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=low, max_value=high, help_text=text, **options)


class LimitsBody(StrictSerializer):
    """The whole of it: what is not named is no limit."""

    concurrency = _bound("executions with a claim at the same time", allow_null=True)
    per_key = _bound("of these, with the same concurrency key", allow_null=True)
    starts = _bound("first invocations per `seconds`", allow_null=True)
    seconds = _bound("of the rate", high=MAX_SECONDS)
    burst = _bound("first invocations at once after a quiet time")
    priority = _bound("head start in the queue, seconds, of a start that names none", low=0, high=MAX_PRIORITY)
    reason = Text(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class LimitsDocument(serializers.Serializer[Any]):
    function = serializers.CharField()
    concurrency = serializers.IntegerField(allow_null=True)
    per_key = serializers.IntegerField(allow_null=True)
    starts = serializers.IntegerField(allow_null=True)
    seconds = serializers.IntegerField()
    burst = serializers.IntegerField()
    priority = serializers.IntegerField()
    changed_at = serializers.DateTimeField(allow_null=True)


def schedule(row: ScheduleRow, access: Access) -> dict[str, Any]:
    """As this person may read it."""
    masks = masking_of(access).of(row.function)
    with_input = access.may(Right.VIEW_PAYLOAD, row.function)
    row = replace(row, input=masks.text(row.input), attributes=masks.attributes(row.attributes))
    found: dict[str, Any] = answers.plain({name: getattr(row, name) for name in ScheduleRow.__dataclass_fields__})
    for name in ("rule", "anchor_at", "revision", "input"):
        found.pop(name)
    shown = {"cron": None if row.interval else row.rule, "interval": row.interval}
    return {**found, **shown, **({"input": json_text.parse_or_text(row.input)} if with_input else {})}


def schedule_detail(row: ScheduleRow, access: Access) -> dict[str, Any]:
    """With the next moments and what came of the last ones. At most three queries."""
    coming, last = [answers.plain(one) for one in next_firings(row)], [firing(one) for one in last_firings(row)]
    return {**schedule(row, access), "next_firings": coming, "last_firings": last}


def firing(one: Firing) -> dict[str, Any]:
    found = one.execution
    about = {"execution_id": str(found.id), "state": found.state.code.value} if found else {"execution_id": None, "state": None}
    return {"moment": answers.plain(one.moment), "name": one.name, **about}


def limits(found: FunctionLimits) -> dict[str, Any]:
    return {"function": found.function, **asdict(found.limits), "changed_at": answers.plain(found.changed_at)}


def rule_of(body: Mapping[str, Any]) -> str | None:
    """The engine's rule; None when the body names neither kind. Raises InvalidInputError for both."""
    cron, interval = body.get("cron"), body.get("interval")
    if cron is not None and interval is not None:
        raise InvalidInputError("Give a cron line or an interval, not both.", field="interval")
    return str(interval) if interval is not None else cron


def schedule_values(body: Mapping[str, Any], before: ScheduleValues | None = None) -> ScheduleValues:
    """What a body asks for, over what was there. Raises InvalidInputError without a rule."""
    given = {name: body[name] for name in ScheduleValues.__slots__ if name in body and name != "input"}
    if "input" in body:
        given["input"] = json_text.compact(body["input"])
    if "overlap" in given:
        given["overlap"] = Overlap(given["overlap"])
    if (rule := rule_of(body)) is not None:
        given["rule"] = rule
    elif before is None:
        raise InvalidInputError("Give a cron line or an interval.", field="cron")
    was = {name: getattr(before, name) for name in ScheduleValues.__slots__} if before else {}
    return ScheduleValues(**was | given)


def limits_of(body: Mapping[str, Any]) -> Limits:
    return Limits(**{name: body[name] for name in Limits.__dataclass_fields__ if name in body})
