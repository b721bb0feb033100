"""The OpenAPI document is complete and says what is really sent."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from durable_ops.api.serializers import documents
from tests.durable_ops.api.conftest import Door
from tests.durable_ops.api.test_access import EXPECTED
from tests.durable_ops.api.test_executions import uuid_of
from tests.durable_ops.journal import open_callback


def test_document_is_valid_and_has_every_call(capsys: Any) -> None:
    schema = SchemaGenerator().get_schema(public=True)
    validate_schema(schema)
    found = {(path, method.upper()) for path, methods in schema["paths"].items() for method in methods}
    assert len(found) == sum(len(rights) for name, rights in EXPECTED.items() if name != "schema")
    assert capsys.readouterr().err == ""  # no warning of the generator


def test_answers_have_exactly_the_documented_fields(admin: Door) -> None:
    started = admin.start()
    callback_id = open_callback(uuid_of(started))
    path = f"/executions/{started['id']}"
    sent = {
        documents.ExecutionDocument: admin.get(path).json(),
        documents.ExecutionSummaryDocument: first(admin, "/executions"),
        documents.OperationDocument: first(admin, f"{path}/operations"),
        documents.CallbackDocument: first(admin, "/callbacks"),
        documents.FunctionDocument: first(admin, "/functions"),
        documents.VersionDocument: first(admin, "/functions")["versions"][0],
        documents.AcceptedDocument: admin.post(f"/callbacks/{callback_id}/succeed").json(),
    }
    for document, answer in sent.items():
        assert set(answer) == set(document().fields), document


def first(door: Door, path: str) -> dict[str, Any]:
    return dict(door.get(path).json()["results"][0])
