"""While PostgreSQL does not answer, people are told so: 503 and when to come again, in the place of an error of the server.

Programs are answered by their own doors. What was asked for is done as a whole or not at all, but a connection that is lost while it is
committed does not say which: whoever has sent something is told to look.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5


class OutageMiddleware:
    """For every page, Django's admin as well. With DEBUG the error itself is shown."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """One line of the log: open pages ask every two seconds, and a traceback of each would fill a disk."""
        if settings.DEBUG or not isinstance(exception, OperationalError | InterfaceError):
            return None
        logger.warning("database unavailable: %s", exception)
        # Without the request, of which the usual context asks the database who is signed in. The address may be a mailed link.
        text = render_to_string("503.html", {"has_sent": request.method not in ("GET", "HEAD")})
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS), "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return HttpResponse(text, status=503, headers=headers)
