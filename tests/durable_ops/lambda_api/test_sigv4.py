"""Signatures: botocore signs, we verify; whatever is changed on the way is refused."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.test import Client

from durable_ops.actions import api_keys
from durable_ops.actions.actor import Actor
from durable_ops.lambda_api import sigv4
from durable_ops.lambda_api.sigv4 import SignatureError, SignedRequest
from durable_ops.models import ApiKey, AuditEntry
from durable_ops.texts.secret_text import open_sealed, seal
from execution_engine.models import Execution
from tests.durable_ops.journal import register_function
from tests.durable_ops.lambda_api.conftest import refused, signed_client, start
from tests.durable_ops.people import make_key, make_user

KEY, SECRET = "dop_0123abcd", "dop_0123abcd_" + "s" * 43
HOST = "durable.example"
TEXTS = [
    "a",
    "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/n/1",
    "ü b",
    "a/b+c==",
    "~._-",
    "%",
    "x y",
    "$LATEST",
    "*'()",
]


def sign(method: str, path: str, query: str = "", body: bytes = b"", headers: dict[str, str] | None = None) -> SignedRequest:
    """A request as botocore puts it on the wire."""
    url = f"http://{HOST}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method, url, headers={"Content-Type": "application/json", **(headers or {})}, data=body)
    SigV4Auth(Credentials(KEY, SECRET), "lambda", "us-east-1").add_auth(request)
    sent = {"host": HOST, **{name.lower(): value for name, value in request.headers.items()}}
    return SignedRequest(method, path + (f"?{query}" if query else ""), sent, body)


def verify(request: SignedRequest, secret: str = SECRET, *, late: timedelta = timedelta(0)) -> None:
    sigv4.verify(sigv4.read_credential(request.headers["authorization"]), secret, request, datetime.now(UTC) + late)


def changed(request: SignedRequest, **changes: Any) -> SignedRequest:
    values = {"method": request.method, "target": request.target, "headers": request.headers, "body": request.body}
    return SignedRequest(**{**values, **changes})


def test_what_botocore_signs_is_good() -> None:
    chosen = random.Random(6)
    for _ in range(2000):
        path = "/2025-12-01/durable-executions/" + quote(chosen.choice(TEXTS), safe="-_.~") + chosen.choice(["", "/stop", "/state"])
        names = chosen.sample(["Marker", "MaxItems", "Statuses", "CheckpointToken", "a"], chosen.randrange(4))
        pairs = [(name, chosen.choice(TEXTS)) for name in names] + [
            ("Statuses", text) for text in chosen.sample(TEXTS, chosen.randrange(3))
        ]
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
        headers = {"X-Amz-Tenant-Id": "a   b"} if chosen.random() < 0.3 else {}
        verify(sign(chosen.choice(["GET", "POST", "DELETE"]), path, query, chosen.randbytes(chosen.randrange(50)), headers))


GOOD = ("POST", "/2025-12-01/durable-executions/arn%3Aaws/stop", "a=1&b=2", b"{}")


def resigned(**headers: str) -> SignedRequest:
    return sign(*GOOD, headers=headers)


TAMPERED: dict[str, Any] = {
    "another method": lambda r: changed(r, method="GET"),
    "another path": lambda r: changed(r, target=r.target.replace("stop", "pause")),
    "decoded path": lambda r: changed(r, target=r.target.replace("%3A", ":")),
    "another query": lambda r: changed(r, target=r.target.replace("a=1", "a=3")),
    "one more parameter": lambda r: changed(r, target=r.target + "&c=1"),
    "another body": lambda r: changed(r, body=b"{ }"),
    "no body": lambda r: changed(r, body=b""),
    "another host": lambda r: changed(r, headers={**r.headers, "host": "other.example"}),
    "another content type": lambda r: changed(r, headers={**r.headers, "content-type": "text/plain"}),
    "another date": lambda r: changed(r, headers={**r.headers, "x-amz-date": "20260101T000000Z"}),
    "no date": lambda r: changed(r, headers={name: value for name, value in r.headers.items() if name != "x-amz-date"}),
    "an unsigned header": lambda r: changed(r, headers={**r.headers, "x-amz-invocation-type": "Event"}),
    "a missing signed header": lambda r: changed(r, headers={name: value for name, value in r.headers.items() if name != "content-type"}),
    "another hash": lambda r: changed(r, headers={**r.headers, "x-amz-content-sha256": "0" * 64}),
    "unsigned payload": lambda r: changed(r, headers={**r.headers, "x-amz-content-sha256": sigv4.UNSIGNED}),
    "another region": lambda r: with_authorization(r, "/us-east-1/", "/us-east-2/"),
    "another service": lambda r: with_authorization(r, "/lambda/", "/s3/"),
    "host not signed": lambda r: with_authorization(r, ";host", ""),
    "another signature": lambda r: with_authorization(r, "Signature=", "Signature=" + "0" * 64 + "X"),
    "no signature": lambda r: with_authorization(r, "Signature=", "Nothing="),
    "another algorithm": lambda r: with_authorization(r, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
}


def with_authorization(request: SignedRequest, old: str, new: str) -> SignedRequest:
    text = request.headers["authorization"].replace(old, new, 1)
    assert text != request.headers["authorization"]
    return changed(request, headers={**request.headers, "authorization": text})


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_changed_is_refused(case: str) -> None:
    request = sign(*GOOD)
    verify(request)
    with pytest.raises(SignatureError) as caught:
        verify(TAMPERED[case](request))
    assert SECRET not in str(caught.value)


def test_another_secret_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify(sign(*GOOD), SECRET + "x")


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_that_is_off_is_refused(minutes: int) -> None:
    request = sign(*GOOD)
    verify(request, late=timedelta(minutes=minutes / 2))
    with pytest.raises(SignatureError, match="not yet current or expired"):
        verify(request, late=timedelta(minutes=minutes))


def test_a_stated_payload_may_be_unsigned_and_not_streamed() -> None:
    request = AWSRequest("POST", f"http://{HOST}/x", headers={"X-Amz-Content-SHA256": sigv4.UNSIGNED}, data=b"{}")
    SigV4Auth(Credentials(KEY, SECRET), "lambda", "eu-west-1").add_auth(request)
    sent = {"host": HOST, **{name.lower(): value for name, value in request.headers.items()}}
    verify(SignedRequest("POST", "/x", sent, b"anything"))
    streamed = {**sent, "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
    with pytest.raises(SignatureError, match="STREAMING"):
        verify(SignedRequest("POST", "/x", streamed, b"{}"))


def test_sealed_texts_open_with_their_key_only(settings: Any) -> None:
    sealed = seal(SECRET)
    assert SECRET not in sealed
    assert open_sealed(sealed) == SECRET
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-key-of-fifty-characters-or-more-than-that"
    assert open_sealed(sealed) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert open_sealed(sealed) == SECRET


def signing_key(user: Any) -> tuple[str, str]:
    """Access key id and secret of a key that is made for AWS's signatures."""
    made = api_keys.create_key(Actor(user=user), user=user, name="tests", for_aws=True)
    return made.access_key_id, made.secret


@pytest.mark.django_db(transaction=True)
def test_boto3_signs_and_is_known(live_server: Any) -> None:
    register_function("echo")
    access_key_id, secret = signing_key(make_user("administrator", "anna"))
    client = signed_client(live_server.url, access_key_id, secret, region="eu-central-1")
    arn = start(client, {"a": 1}, DurableExecutionName="signed", TenantId="a b/c")
    assert client.get_durable_execution(DurableExecutionArn=arn)["InputPayload"] == '{"a": 1}'
    found = client.list_durable_executions_by_function(FunctionName=f"{arn.partition(':1/')[0]}", Statuses=["RUNNING", "PAUSED"])
    assert [one["DurableExecutionArn"] for one in found["DurableExecutions"]] == [arn]
    assert AuditEntry.objects.get(action="execution.start").actor == "anna (key tests)"
    assert ApiKey.objects.get(prefix=access_key_id[4:]).last_used_at is not None


@pytest.mark.django_db(transaction=True)
def test_boto3_with_a_bad_key_is_refused(live_server: Any) -> None:
    register_function("echo")
    user = make_user("administrator", "anna")
    access_key_id, secret = signing_key(user)
    refused(lambda: start(signed_client(live_server.url, access_key_id, secret[:-1] + "!"), 1), "InvalidSignatureException", 403)
    refused(lambda: start(signed_client(live_server.url, "AKIAIOSFODNN7EXAMPLE", "x"), 1), "UnrecognizedClientException", 403)
    plain = make_key(user, "not for AWS")
    refused(lambda: start(signed_client(live_server.url, plain[:12], plain), 1), "UnrecognizedClientException", 403)
    ApiKey.objects.update(revoked_at=datetime.now(UTC))
    refused(lambda: start(signed_client(live_server.url, access_key_id, secret), 1), "UnrecognizedClientException", 403)
    user.is_active = False
    user.save()
    ApiKey.objects.update(revoked_at=None)
    refused(lambda: start(signed_client(live_server.url, access_key_id, secret), 1), "UnrecognizedClientException", 403)
    assert Execution.objects.count() == 0


@pytest.mark.django_db
def test_without_a_key_nothing_is_answered() -> None:
    answer = Client().get("/2025-12-01/functions/echo/durable-executions")
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")
    answer = Client().get("/2025-12-01/functions/echo/durable-executions", headers={"Authorization": "Basic abc"})
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (403, "IncompleteSignatureException")
    assert answer.headers["x-amzn-RequestId"]
