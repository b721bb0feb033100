"""The OpenAPI document is complete and says what is really sent."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from durable_ops.api.examples import EXAMPLES
from durable_ops.api.serializers import callbacks, executions, functions
from durable_ops.api.serializers.documents import READ_REFUSALS, REFUSALS
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


def test_every_body_has_an_example_that_fits_it() -> None:
    schema = SchemaGenerator().get_schema(public=True)
    components = schema["components"]["schemas"]
    calls = [call for methods in schema["paths"].values() for call in methods.values()]
    bodies = [call["requestBody"]["content"]["application/json"]["schema"] for call in calls if "requestBody" in call]
    names = {body["$ref"].rpartition("/")[2] for body in bodies} - {"EmptyBody"}
    assert names <= set(EXAMPLES)
    assert set(EXAMPLES) <= set(components)
    plain = as_json_schema(schema["components"])
    for name, example in EXAMPLES.items():
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": plain}).validate(example)


def as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 writes `nullable` where JSON Schema has a type null."""
    if isinstance(node, list):
        return [as_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {key: as_json_schema(value) for key, value in node.items() if key not in ("nullable", "example")}
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") is True else found


def test_every_call_names_its_refusals() -> None:
    schema = SchemaGenerator().get_schema(public=True)
    for path, methods in schema["paths"].items():
        for method, call in methods.items():
            wanted = READ_REFUSALS if method == "get" else REFUSALS
            assert {str(status) for status, _ in wanted} <= set(call["responses"]), (method, path)
            refused = {status: answer["content"] for status, answer in call["responses"].items() if int(status) >= 400}
            assert all(set(content) == {"application/problem+json"} for content in refused.values()), (method, path)


def test_answers_have_exactly_the_documented_fields(admin: Door) -> None:
    started = admin.start()
    callback_id = open_callback(uuid_of(started))
    path = f"/executions/{started['id']}"
    sent = {
        executions.ExecutionDocument: admin.get(path).json(),
        executions.ExecutionSummaryDocument: first(admin, "/executions"),
        executions.OperationDocument: first(admin, f"{path}/operations"),
        callbacks.CallbackDocument: first(admin, "/callbacks"),
        functions.FunctionDocument: first(admin, "/functions"),
        functions.VersionDocument: first(admin, "/functions")["versions"][0],
        callbacks.AcceptedDocument: admin.post(f"/callbacks/{callback_id}/succeed").json(),
    }
    for document, answer in sent.items():
        assert set(answer) == set(document().fields), document


def first(door: Door, path: str) -> dict[str, Any]:
    return dict(door.get(path).json()["results"][0])
