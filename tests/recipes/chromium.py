"""A headless Chromium, spoken to through a pipe by the DevTools protocol; no package is needed for it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PROGRAM = next((found for found in map(shutil.which, NAMES) if found), None)
_WAIT_S = 60.0


class Chromium:
    """One tab of a browser of its own, with an empty profile.

    Attributes:
        requests: addresses that were asked for since the last `open`, except those within the page.
        faults: what the page complained of since then: errors, refusals of its policy, dialogs.
        downloads: folder of downloaded files.
    """

    def __init__(self, folder: Path, scheme: str = "light", width: int = 1100, height: int = 900) -> None:
        self.downloads = folder / "downloads"
        self.requests: list[str] = []
        self.faults: list[str] = []
        self._number = 0
        self._buffer = b""
        self._start(folder)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self._call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self.look(scheme, width, height)

    def _start(self, folder: Path) -> None:
        self.downloads.mkdir(parents=True)
        inward, self._to = os.pipe()
        self._from, outward = os.pipe()
        options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--remote-debugging-pipe")
        profile = f"--user-data-dir={folder / 'profile'}"

        def arrange() -> None:
            """Put the pipes on descriptors 3 and 4, where the protocol is spoken."""
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (inward, outward)]
            for wanted, end in zip((3, 4), ends, strict=True):
                os.dup2(end, wanted)

        self._process = subprocess.Popen(
            [str(PROGRAM), *options, "--disable-dev-shm-usage", profile, "about:blank"],
            preexec_fn=arrange,
            pass_fds=(3, 4),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(inward)
        os.close(outward)

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def look(self, scheme: str, width: int, height: int = 900) -> None:
        """Take a scheme of colours and a size of the window."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, page: Path) -> None:
        """Open a file and wait until it is loaded."""
        self.requests.clear()
        self.faults.clear()
        self.call("Page.navigate", url=page.as_uri())
        self.until("document.readyState === 'complete' && location.protocol === 'file:'")

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression, computed outside the page's policy as by its own scripts."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + _WAIT_S
        while not self.run(f"!!({condition})"):
            assert time.monotonic() < end, f"{condition} did not come true"
            time.sleep(0.05)

    def press(self, key: str, shift: bool = False) -> None:
        """Press and release a key."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "Tab": 9}.get(key, ord(key.upper()) if len(key) == 1 else 0)
        for kind in ("keyDown", "keyUp"):
            event = {"type": kind, "key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
            self.call("Input.dispatchKeyEvent", **event, **({"text": text} if text and kind == "keyDown" else {}))

    def picture(self, path: Path) -> None:
        """Write what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to the tab and return its answer."""
        return self._call(method, self._session, **parameters)

    def _call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = self._send(method, session, parameters)
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._note(answer.get("method"), answer.get("params", {}))

    def _send(self, method: str, session: str | None, parameters: dict[str, Any]) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        os.write(self._to, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        return self._number

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], _WAIT_S)
            assert ready, "the browser does not answer"
            more = os.read(self._from, 1 << 20)
            assert more, "the browser has ended"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, method: str | None, values: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent" and not values["request"]["url"].startswith(("data:", "blob:")):
            self.requests.append(values["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.faults.append(str(values["exceptionDetails"]))
        elif method == "Log.entryAdded" and values["entry"]["level"] == "error":
            self.faults.append(values["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            if values["type"] != "beforeunload":
                self.faults.append(f"dialog: {values['message']}")
            self._send("Page.handleJavaScriptDialog", self._session, {"accept": True})
