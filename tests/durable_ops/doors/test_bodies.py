"""Bodies above the limit: read to their end when that is near, so that the refusal can be read."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from durable_ops.doors.bodies import DROPPED_AT_ONCE, READ_ON, BodyTooLargeError, read_body

LIMIT = 100_000


@pytest.mark.parametrize(
    ("announced", "is_read"), [(LIMIT + 1, True), (LIMIT * READ_ON, True), (LIMIT * READ_ON + 1, False), (10**10, False)]
)
def test_a_body_above_the_limit(announced: int, is_read: bool) -> None:
    sent = min(announced, LIMIT * READ_ON)
    stream = io.BytesIO(b"x" * sent)
    with pytest.raises(BodyTooLargeError):
        read_body({"CONTENT_LENGTH": str(announced)}, stream, LIMIT)
    assert stream.tell() == (sent if is_read else 0)


def test_a_body_that_ends_early_does_not_hold_anybody() -> None:
    stream = io.BytesIO(b"x" * (DROPPED_AT_ONCE + 1))
    with pytest.raises(BodyTooLargeError):
        read_body({"CONTENT_LENGTH": str(LIMIT + 1)}, stream, LIMIT)


@pytest.mark.django_db
def test_no_page_keeps_a_file_that_somebody_posts(client: Client) -> None:
    large = SimpleUploadedFile("f.bin", b"x" * 3_000_000)
    answer = client.post("/login/", {"username": "ada", "file": large, "password": "late"})
    request = answer.wsgi_request
    assert (answer.status_code, request.POST.get("username"), list(request.FILES)) == (200, "ada", [])
