"""Any OpenAI-compatible server, by the standard library.

What comes back is data: its size is bounded, redirections are not followed, and only the text of the answer is used.
The key comes from an environment variable and stands in no message.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

from audiojourney.captions.chat import ChatSettings, Reply, Turn
from audiojourney.errors import MissingError, UsageError

T = TypeVar("T")

MOST_BYTES = 1 << 20  # of one answer
LONGEST_PAUSE_S = 30.0
PATIENCE = 3.0  # times the longest wait for one answer, after which a question is not sent again
_BLOCK = 1 << 16
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_CLOSED = {401: "refuses the key", 403: "refuses access", 404: "knows no such model or path", 405: "takes no questions"}
_LOCAL = ("localhost", "127.0.0.1", "::1")


class _Trouble(Exception):
    """A request that came to nothing.

    Args:
        reason: why, in a phrase.
        again: whether another try may help.
        nobody: nobody answers at the address.
        pause_s: how long the server asks to wait.
    """

    def __init__(self, reason: str, again: bool = True, nobody: bool = False, pause_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.again, self.nobody, self.pause_s = reason, again, nobody, pause_s


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the key would go along to wherever it leads."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse."""
        return None


class Endpoint:
    """A server with `/chat/completions`.

    Args:
        address: such as `http://localhost:8000/v1`.
        model: its name there; None takes the only one that the server has.
        settings: waiting, retries, concurrency.
        offline: reach no other machine.

    Raises:
        UsageError: the address is none of http or https, or holds a user or a password.
        MissingError: the network is switched off and the address is not on this machine.
    """

    def __init__(self, address: str, model: str | None, settings: ChatSettings, offline: bool = False) -> None:
        self._address = _checked(address, offline)
        self._settings = settings
        self._key = os.environ.get(settings.key_variable, "")
        # A proxy has no business between this machine and itself.
        own = [urllib.request.ProxyHandler({})] if urlsplit(self._address).hostname in _LOCAL else []
        self._opener = urllib.request.build_opener(_Stay, *own)
        self._stop = threading.Event()
        self.model = model or self._only_model()
        self.name = self.model

    def complete(self, turns: Sequence[Turn]) -> list[Reply]:
        """Answer each question, `concurrency` at once, in their order.

        Raises:
            MissingError: nobody answers at the address, or the server refuses the key or knows no such model.
        """
        self._stop.clear()
        workers = max(1, min(self._settings.concurrency, len(turns)))
        with ThreadPoolExecutor(workers, thread_name_prefix="endpoint") as pool:
            try:
                return list(pool.map(self._answer, turns))
            finally:
                self._stop.set()  # what waits for another try waits no longer
                pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, turn: Turn) -> Reply:
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": turn.prompt}],
            "temperature": turn.temperature,
            "top_p": self._settings.top_p if turn.temperature else 1.0,
            "max_tokens": self._settings.max_tokens,
            "seed": turn.seed,
            "n": 1,
            "stream": False,
        }
        body |= self._settings.body
        data = json.dumps({key: value for key, value in body.items() if value is not None}).encode("utf-8")
        try:
            return Reply(self._patiently("/chat/completions", data, turn.seed, _text))
        except _Trouble as trouble:
            return Reply(failure=trouble.reason)

    def _only_model(self) -> str:
        """Return the name of the model that the server has."""
        try:
            names = self._patiently("/models", None, 0, _names)
        except _Trouble as trouble:
            raise MissingError(f"The endpoint {self._address} names no model: {trouble.reason}.") from trouble
        if len(names) != 1:
            told = f"The endpoint {self._address} has {len(names)} models: {', '.join(names[:8])}."
            raise UsageError(told, "Name one with --model.")
        return names[0]

    def _patiently(self, path: str, data: bytes | None, seed: int, read: Callable[[Any], T]) -> T:
        """Send a request, again after a pause when that may help; return what `read` finds in the JSON."""
        draw = random.Random(seed)
        pause = self._settings.backoff_s
        enough = time.monotonic() + PATIENCE * self._settings.timeout_s
        for left in range(self._settings.retries, -1, -1):
            try:
                return read(self._send(path, data))
            except _Trouble as trouble:
                if trouble.nobody and not left:
                    told = f"Nobody answers at {self._address} ({trouble.reason})."
                    raise MissingError(told, "Start the server, or name another with --endpoint.") from trouble
                if not (trouble.again and left) or self._stop.is_set() or time.monotonic() > enough:
                    raise
                # Up to half as much again, so that clients that failed together do not come back together.
                self._stop.wait(min(max(pause, trouble.pause_s) * (1 + draw.random() / 2), LONGEST_PAUSE_S))
                pause *= 2
        raise AssertionError(f"{path}: the last try returns or raises")

    def _send(self, path: str, data: bytes | None) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "audiojourney"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(f"{self._address}{path}", data=data, headers=headers)
        deadline = time.monotonic() + self._settings.timeout_s
        try:
            with self._opener.open(request, timeout=self._settings.timeout_s) as response:
                return _parsed(_bounded(response, deadline))
        except urllib.error.HTTPError as error:
            with error:
                raise self._told(error) from error
        except urllib.error.URLError as error:
            raise _unreached(error.reason, self._settings.timeout_s) from error
        except (OSError, http.client.HTTPException) as error:
            raise _unreached(error, self._settings.timeout_s) from error

    def _told(self, error: urllib.error.HTTPError) -> Exception:
        """Return what an HTTP error means: an end to everything, another try, or the end of this question."""
        if error.code in _CLOSED:
            told = f"The endpoint {self._address} {_CLOSED[error.code]} (HTTP {error.code}, model {self.model!r})."
            return MissingError(told, f"Check --endpoint, --model and the key in {self._settings.key_variable}.")
        pause = _seconds(error.headers.get("Retry-After", ""))
        said = _reason(error)
        if self._key:
            said = said.replace(self._key, "***")
        return _Trouble(f"the endpoint answers HTTP {error.code}{said}", error.code in _AGAIN, pause_s=pause)


def _checked(address: str, offline: bool) -> str:
    """Return an address without a slash at its end."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"The endpoint {address!r} is no address ({error}).") from error
    if parts.username or parts.password:
        raise UsageError(f"The endpoint at {host!r} is named with a password.", "Put the key into AJ_ENDPOINT_KEY.")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UsageError(f"The endpoint {address!r} is no address such as http://localhost:8000/v1.")
    if offline and host not in _LOCAL:
        raise MissingError(f"The endpoint {address!r} cannot be asked: the network is switched off.")
    return address.rstrip("/").removesuffix("/chat/completions")


def _bounded(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """Read an answer, but neither beyond a size nor beyond a moment."""
    parts: list[bytes] = []
    size = 0
    while block := response.read1(_BLOCK):
        size += len(block)
        if size > MOST_BYTES:
            raise _Trouble(f"the answer is larger than {MOST_BYTES} bytes")
        if time.monotonic() > deadline:
            raise _Trouble("the answer did not end in time")
        parts.append(block)
    return b"".join(parts)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _Trouble("the answer is no JSON") from error


def _text(answer: Any) -> str:
    """Return the text of the first choice; some servers give it in parts."""
    try:
        content = answer["choices"][0]["message"]["content"]
        if isinstance(content, list):
            content = "".join(part["text"] for part in content if part.get("type") == "text")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise _Trouble("the answer has no text where it should be") from error
    if content is None:
        return ""
    if not isinstance(content, str):
        raise _Trouble(f"the answer holds a {type(content).__name__} instead of a text")
    return content


def _reason(error: urllib.error.HTTPError) -> str:
    """Return what a server says of its refusal, in brackets and one line; nothing where it says nothing readable."""
    try:
        said = json.loads(error.read(_BLOCK).decode("utf-8"))["error"]
        text = said["message"] if isinstance(said, dict) else said
    except (OSError, ValueError, RecursionError, KeyError, TypeError, http.client.HTTPException):
        return ""
    return f" ({' '.join(str(text).split())[:200]})"


def _names(answer: Any) -> list[str]:
    """Return the names of the models that a server says it has."""
    try:
        return [str(row["id"]) for row in answer["data"]]
    except (KeyError, TypeError) as error:
        raise _Trouble("the answer has no list of models") from error


def _unreached(reason: object, timeout_s: float) -> _Trouble:
    if isinstance(reason, TimeoutError):
        return _Trouble(f"no answer within {timeout_s:g} s")
    if isinstance(reason, ConnectionRefusedError) or type(reason).__name__ == "gaierror":
        return _Trouble(str(reason), nobody=True)
    return _Trouble(f"the connection broke ({type(reason).__name__})")


def _seconds(text: str) -> float:
    """Return the seconds of a `Retry-After`, 0 where it holds something else."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(max(value, 0.0), LONGEST_PAUSE_S) if math.isfinite(value) else 0.0
