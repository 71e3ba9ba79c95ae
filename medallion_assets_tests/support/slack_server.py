"""Slack's chat.postMessage, and a webhook, on a loopback port. `mode` says what it answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "xoxb-123-not-to-be-seen"
HANG_SECONDS = 20


class SlackServer(ThreadingHTTPServer):
    """mode: ok, hang (for 20 s, then ok), an HTTP status such as 429, or an error of Slack's such as channel_not_found.

    messages: what Slack took; hooked: what the webhook took, which answers by `hook_mode`; tries: posts of any outcome
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mode = self.hook_mode = "ok"
        self.messages: list[dict[str, Any]] = []
        self.hooked: list[dict[str, Any]] = []
        self.tries = 0
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/"

    @property
    def webhook(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook/a-secret-of-its-own"

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages]


class _Handler(BaseHTTPRequestHandler):
    server: SlackServer

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tries += 1
        if self.path == "/api/chat.postMessage":
            error = "" if self.headers["Authorization"] == f"Bearer {TOKEN}" else "invalid_auth"
            self._answer(self.server.mode, error, message, self.server.messages)
        elif self.path == "/hook/a-secret-of-its-own":
            self._answer(self.server.hook_mode, "", message, self.server.hooked)
        else:
            self.send_error(404)

    def _answer(self, mode: str, error: str, message: dict[str, Any], taken: list[dict[str, Any]]) -> None:
        if mode == "hang":
            self.server.closing.wait(HANG_SECONDS)
            return  # the client has long gone
        if mode.isdigit():
            # The answer quotes the token, as a proxy's error page may.
            self._send(int(mode), f"no: {self.headers['Authorization']} {self.path}")
            return
        error = error or ("" if mode == "ok" else mode)
        if not error:
            taken.append(message)
        self._send(200, json.dumps({"ok": False, "error": error} if error else {"ok": True, "ts": "1.0"}))

    def _send(self, status: int, text: str) -> None:
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "30")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: pytest's output is for what fails."""


@contextmanager
def running() -> Iterator[SlackServer]:
    server = SlackServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
