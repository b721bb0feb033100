"""gunicorn's thread worker, which waits for no slow sender: the first line and the headers of a request have ten seconds in all.

gunicorn itself waits for each further byte as long as the sender likes, and as many such senders as there are threads stop everybody else.
"""

import math
from typing import Any

from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from durable_ops.web import slow_bodies
from durable_ops.web.slow_bodies import Reading

HEAD_SECONDS = 10.0


class PromptWorker(ThreadWorker):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heads: dict[TConn, Reading | None] = {}

    def handle(self, conn: TConn) -> Any:
        """In a thread of the pool. Behind TLS the bytes are another socket's, which is not known yet."""
        with slow_bodies.bounded(None if self.cfg.is_ssl else conn.sock, HEAD_SECONDS) as reading:
            self._heads[conn] = reading
            try:
                return super().handle(conn)
            finally:
                del self._heads[conn]

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """The head is there: whoever reads the body bounds that."""
        head = self._heads[conn]
        if head is not None:
            head.ends = math.inf
        return super().handle_request(req, conn)
