"""A proxy before a store, which answers 503 to every third request, as a store does that is asked too much."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import urlsplit

import pytest

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class BusyStore(ThreadingHTTPServer):
    """refused: how many requests."""

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(endpoint)
        self.requests = count(1)
        self.refused = 0


class _Handler(BaseHTTPRequestHandler):
    server: BusyStore
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if next(self.server.requests) % 3 == 0:
            self.server.refused += 1
            self._answer(503, {}, SLOW_DOWN)
            return
        behind = HTTPConnection(self.server.behind.hostname or "", self.server.behind.port)
        behind.request(self.command, self.path, content, dict(self.headers))
        answer = behind.getresponse()
        headers = dict(answer.getheaders())
        self._answer(answer.status, headers, answer.read())
        behind.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        of_connection = ("connection", "transfer-encoding", "keep-alive", "content-length", "date", "server")
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in of_connection:
                self.send_header(name, value)
        size = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        if status != 204:
            self.send_header("Content-Length", size)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def busy_store(endpoint: str) -> Iterator[BusyStore]:
    """The variables name it, until the context is left."""
    server = BusyStore(endpoint)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
