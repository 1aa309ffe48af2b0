"""A local server that answers as language models and their servers do, and as they should not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from audiojourney.captions.chat import Reply, Turn

Behave = Callable[["Handler", dict[str, Any], int], None]


class Handler(BaseHTTPRequestHandler):
    """Hands each question to `behave` with the number of times that the same prompt was asked before."""

    behave: Behave
    seen: list[dict[str, Any]]
    headers_seen: list[dict[str, str]]
    models: tuple[str, ...] = ("tiny",)
    lock = threading.Lock()

    def do_POST(self) -> None:
        """Answer a question."""
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = question["messages"][0]["content"]
        with self.lock:
            before = sum(1 for other in self.seen if other["messages"][0]["content"] == prompt)
            self.seen.append(question)
            self.headers_seen.append(dict(self.headers))
        with suppress(BrokenPipeError, ConnectionResetError):
            type(self).behave(self, question, before)

    def do_GET(self) -> None:
        """Name the models."""
        self.send(json.dumps({"data": [{"id": name} for name in self.models]}).encode())

    def say(self, text: object) -> None:
        """Answer with a text, as a server should."""
        self.send(json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())

    def send(self, body: bytes, code: int = 200, **headers: str) -> None:
        """Answer with any bytes."""
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(behave: Behave, models: tuple[str, ...] = ("tiny",)) -> Iterator[tuple[str, type[Handler]]]:
    """Run a server while the block runs; gives its address and the handler, which keeps what was asked."""
    kind = type("Kind", (Handler,), {"behave": staticmethod(behave), "seen": [], "headers_seen": [], "models": models})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", kind
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Scripted:
    """A language model that says what a function gives it."""

    name = "scripted"

    def __init__(self, speak: Callable[[Turn], str | Reply]):
        self.speak = speak
        self.turns: list[Turn] = []

    def complete(self, turns: list[Turn]) -> list[Reply]:
        """Answer, and remember what was asked."""
        self.turns += turns
        said = [self.speak(turn) for turn in turns]
        return [one if isinstance(one, Reply) else Reply(one) for one in said]


def asked_for(prompt: str) -> str:
    """Return what a prompt asks about: its last input."""
    return prompt.rpartition("Input: ")[2].partition("\n")[0]
