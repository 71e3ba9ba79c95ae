"""A store on a loopback port that gives one answer to every request, and no credentials to be found elsewhere."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

EMPTY = "<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"


class StubStore(ThreadingHTTPServer):
    """status, content: of each answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.content = 200, EMPTY

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def refuse(self, status: int, code: str) -> None:
        self.status, self.content = status, f"<Error><Code>{code}</Code></Error>"


class _Handler(BaseHTTPRequestHandler):
    server: StubStore

    def do_GET(self) -> None:
        content = self.server.content.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_PUT(self) -> None:
        self.do_GET()

    def handle(self) -> None:
        with suppress(ConnectionError):  # who asked does not wait for the answer
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def stub_store() -> Iterator[StubStore]:
    """The variables name it, until the context is left."""
    server = StubStore()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    variables = {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_METADATA_ENDPOINT": server.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "something",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()
