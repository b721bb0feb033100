"""Why an execution does not move, as a tree."""

from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.answers import plain_object
from execution_engine.selectors.causes import Cause, CauseCode, Explanation
from execution_engine.selectors.explain import StateCode


class CauseDocument(serializers.Serializer[Any]):
    code = serializers.ChoiceField([one.value for one in CauseCode])
    sentence = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True, help_text="when it ends by itself")
    callback_id = serializers.CharField(allow_null=True)
    operation = serializers.CharField(allow_null=True, help_text="id of the operation of this execution")
    execution = serializers.UUIDField(allow_null=True, help_text="the child that is waited for")
    causes = serializers.ListField(child=serializers.DictField(), help_text="what is behind it, of the same shape")


class WaitingParentDocument(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    function = serializers.CharField()


class ExplanationDocument(serializers.Serializer[Any]):
    state = serializers.ChoiceField([one.value for one in StateCode])
    label = serializers.CharField()  # type: ignore[assignment]
    sentence = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    causes = CauseDocument(many=True)
    parent = WaitingParentDocument(allow_null=True, help_text="the execution that waits for this one")


def explanation(found: Explanation) -> dict[str, Any]:
    """Keys: state, label, sentence, since, until, causes (a tree), parent."""
    state = found.state
    return {
        **plain_object({"state": state.code, "label": state.label, "sentence": state.sentence, "since": state.since, "until": state.until}),
        "causes": [_cause(one) for one in found.causes],
        "parent": {"id": str(found.parent[0]), "function": found.parent[1]} if found.parent else None,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    named = {"operation": cause.operation_id, "execution": cause.execution_id}
    facts = {name: getattr(cause, name) for name in ("code", "sentence", "since", "until", "callback_id")}
    return {**plain_object({**facts, **named}), "causes": [_cause(one) for one in cause.causes]}
