"""Static files straight from where they lie, compressed without a build step."""

import gzip
import re

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

WORTH_BYTES = 1024
_TEXT = re.compile(r"text/|application/json|image/svg|.*javascript")
_ACCEPTED = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise, which compresses a text when it is first asked for and remembers it as long as the process lives.

    WhiteNoise itself sends only what `collectstatic` compressed, a step that somebody forgets.
    """

    compressed: dict[StaticFile, bytes]

    def serve(self, static_file: StaticFile, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = super().serve(static_file, request)
        if not _TEXT.match(response.get("Content-Type", "")) or int(response.get("Content-Length", "0")) < WORTH_BYTES:
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        is_whole = response.status_code == 200 and request.method == "GET" and not response.has_header("Content-Encoding")
        if not is_whole or self.autorefresh or not _ACCEPTED.search(request.headers.get("Accept-Encoding", "")):
            return response
        headers = {**response.headers, "Content-Encoding": "gzip"}
        del headers["Content-Length"]
        known = self.__dict__.setdefault("compressed", {})
        if static_file not in known:
            known[static_file] = gzip.compress(response.getvalue(), mtime=0)
        response.close()
        return HttpResponse(known[static_file], headers=headers)
