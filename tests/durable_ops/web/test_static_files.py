import gzip
from pathlib import Path

import pytest
from django.test import Client

STYLE = "/static/css/base.css"
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def style(repository: Path) -> bytes:
    return (repository / "static" / "css" / "base.css").read_bytes()


def test_text_is_sent_compressed_and_whole(client: Client, style: bytes) -> None:
    for _ in range(2):  # the second answer is remembered
        answer = client.get(STYLE, headers=GZIP)
        assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
        assert (answer.headers["Content-Type"], answer.status_code) == ('text/css; charset="utf-8"', 200)
        assert int(answer.headers.get("Content-Length", len(answer.content))) == len(answer.content) < len(style) / 2
        assert gzip.decompress(answer.content) == style


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "gzip; q=0.0"}])
def test_who_does_not_ask_for_it_gets_it_plain(client: Client, style: bytes, headers: dict[str, str]) -> None:
    answer = client.get(STYLE, headers=headers)
    assert (answer.getvalue(), answer.headers["Vary"]) == (style, "Accept-Encoding")  # type: ignore[attr-defined]
    assert "Content-Encoding" not in answer.headers


def test_what_a_browser_knows_is_not_sent_again(client: Client) -> None:
    etag = client.get(STYLE, headers=GZIP).headers["ETag"]
    assert client.get(STYLE, headers={**GZIP, "If-None-Match": etag}).status_code == 304


def test_a_part_is_a_part_of_the_plain_file(client: Client, style: bytes) -> None:
    answer = client.get(STYLE, headers={**GZIP, "Range": "bytes=0-1999"})
    assert (answer.status_code, answer.getvalue()) == (206, style[:2000])  # type: ignore[attr-defined]
