"""A schema registry on a loopback port, as far as readers ask it; and what a producer writes by its schemas."""

import json
import struct
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USER, PASSWORD = "shop", "p@ss:word"


class Registry(ThreadingHTTPServer):
    """schemas: number -> what it answers; asked: the numbers that somebody asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.schemas: dict[int, dict[str, Any]] = {}
        self.asked: list[int] = []

    @property
    def url(self) -> str:
        """With the user and password that it wants."""
        return self.shown.replace("//", f"//{USER}:p%40ss%3Aword@")

    @property
    def shown(self) -> str:
        """Without them."""
        return f"http://127.0.0.1:{self.server_port}"

    def register(self, number: int, *fields: tuple[str, Any], **more: Any) -> None:
        record = {
            "type": "record",
            "name": f"r{number}",
            "fields": [{"name": n, "type": t} for n, t in fields],
        }
        self.schemas[number] = {"schema": json.dumps(record), **more}


class _Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        if not self.path.startswith("/schemas/ids/"):
            self._answer(404, {"error_code": 404})
            return
        number = int(self.path.removeprefix("/schemas/ids/"))
        self.server.asked.append(number)
        login = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {login}":
            self._answer(401, {"error_code": 401})
        elif number not in self.server.schemas:
            self._answer(404, {"error_code": 40403, "message": "Schema not found"})
        else:
            self._answer(200, self.server.schemas[number])

    def _answer(self, code: int, content: dict[str, Any]) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def schema_registry() -> Iterator[Registry]:
    server = Registry()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def framed(number: int, *values: bytes) -> bytes:
    """A record by the schema of this number."""
    return b"\0" + struct.pack(">i", number) + b"".join(values)


def integer(value: int) -> bytes:
    """Avro's int and long; and the place of a union's branch."""
    rest, out = (value << 1) ^ (value >> 63), b""
    while rest > 127:
        out, rest = out + bytes([rest & 127 | 128]), rest >> 7
    return out + bytes([rest])


def data(value: str | bytes) -> bytes:
    """Avro's string and bytes."""
    encoded = value.encode() if isinstance(value, str) else value
    return integer(len(encoded)) + encoded


def decimal(unscaled: int) -> bytes:
    return data(unscaled.to_bytes(8, "big", signed=True))
