"""A web server in a thread that serves bytes well, or breaks off, refuses and never ends."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

Answer = Callable[["_Handler", bool], None]
"""Answers a request; the flag tells whether the body is wanted."""


class WebServer:
    """What each path answers, and how often each was asked for."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answers: dict[str, Answer] = {}
        self.requests: Counter[tuple[str, str]] = Counter()

    def put(self, path: str, data: bytes, *, headers: dict[str, str] | None = None) -> str:
        """Serve bytes, by default with an ETag; the address."""
        etag = {"ETag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'}

        def answer(handler: _Handler, wanted: bool) -> None:
            handler.head(200, {"Content-Length": str(len(data)), **(headers or etag)})
            if wanted:
                handler.wfile.write(data)

        return self.answer(path, answer)

    def refuse(self, path: str, status: int) -> str:
        return self.answer(path, lambda handler, _: handler.head(status, {"Content-Length": "0"}))

    def send_on(self, path: str, target: str) -> str:
        headers = {"Location": target, "Content-Length": "0"}
        return self.answer(path, lambda handler, _: handler.head(302, headers))

    def cut(self, path: str, data: bytes, *, at: int) -> str:
        """Announce all of it, and close the connection after some bytes."""

        def answer(handler: _Handler, wanted: bool) -> None:
            handler.head(200, {"Content-Length": str(len(data)), "ETag": '"cut"'})
            if wanted:
                handler.wfile.write(data[:at])

        return self.answer(path, answer)

    def endless(self, path: str) -> str:
        """A body without a length that goes on until the client leaves."""

        def answer(handler: _Handler, wanted: bool) -> None:
            handler.head(200, {"ETag": '"endless"'})
            with suppress(ConnectionError):
                while wanted:
                    handler.wfile.write(bytes(1 << 16))

        return self.answer(path, answer)

    def stall(self, path: str, data: bytes, *, at: int, until: threading.Event) -> str:
        """Send some bytes, and the others after the event."""

        def answer(handler: _Handler, wanted: bool) -> None:
            handler.head(200, {"Content-Length": str(len(data)), "ETag": '"stall"'})
            if wanted:
                with suppress(ConnectionError):
                    handler.wfile.write(data[:at])
                    handler.wfile.flush()
                    until.wait()
                    handler.wfile.write(data[at:])

        return self.answer(path, answer)

    def trickle(self, path: str, data: bytes, *, seconds: float) -> str:
        """Send all of it, a part every tenth of a second."""
        parts = round(10 * seconds)
        size = -(-len(data) // parts)

        def answer(handler: _Handler, wanted: bool) -> None:
            handler.head(200, {"Content-Length": str(len(data)), "ETag": '"slow"'})
            for start in range(0, len(data) * wanted, size):
                handler.wfile.write(data[start : start + size])
                handler.wfile.flush()
                time.sleep(0.1)

        return self.answer(path, answer)

    def answer(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return f"{self.url}{path}"


class _Handler(BaseHTTPRequestHandler):
    web: ClassVar[WebServer]

    def do_HEAD(self) -> None:
        self._reply(wanted=False)

    def do_GET(self) -> None:
        self._reply(wanted=True)

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _reply(self, *, wanted: bool) -> None:
        path = self.path.partition("?")[0]
        self.web.requests[self.command, path] += 1
        answer = self.web.answers.get(path)
        if answer is None:
            self.head(404, {"Content-Length": "0"})
        else:
            answer(self, wanted)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running() -> Iterator[WebServer]:
    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.web = WebServer(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Handler.web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
