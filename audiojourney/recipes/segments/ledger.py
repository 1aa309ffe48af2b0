"""Work on a long list that a killed run leaves half done: rows so far, and how far they reach."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from audiojourney import files

FLUSH_EVERY_S = 2.0
STREAMS = ("rows", "discarded", "errors")


class Ledger:
    """Three lists that grow together, and counts; what was flushed survives a kill.

    Args:
        folder: hidden folder that they are kept in until the end.
        key: what the work depends on; work of another key is thrown away.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key
        self.done = 0
        self.counts: Counter[str] = Counter()
        self._sizes = dict.fromkeys(STREAMS, 0)
        self._pending: dict[str, list[bytes]] = {name: [] for name in STREAMS}
        self._flushed = time.monotonic()
        self._resume()

    def add(self, lines: Mapping[str, Iterable[Mapping[str, Any]]], counts: Mapping[str, int]) -> None:
        """Take what one item gave: rows for each list, and what is to be counted."""
        for name, rows in lines.items():
            self._pending[name] += [_line(row) for row in rows]
        self.counts.update(counts)
        self.done += 1
        if time.monotonic() - self._flushed >= FLUSH_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Put everything so far on the disk; the state, written last, tells how much of the lists counts."""
        for name, lines in self._pending.items():
            data = b"".join(lines)
            files.append_bytes(self._path(name), data, keep=self._sizes[name])
            self._sizes[name] += len(data)
            lines.clear()
        state = {"key": self.key, "done": self.done, "sizes": self._sizes, "counts": dict(self.counts)}
        files.write_json(self.folder / "state.json", state)
        self._flushed = time.monotonic()

    def finish(self, targets: Mapping[str, Path], before_rows: Callable[[Path], None]) -> None:
        """Move the lists to where they belong, `rows` last of all; those that are empty now are removed there.

        Args:
            targets: path for each list.
            before_rows: is called with the finished `rows`, just before they are moved.
        """
        self.flush()
        for name in STREAMS[1:]:
            if self._sizes[name]:
                self._path(name).replace(targets[name])
            else:
                targets[name].unlink(missing_ok=True)
        before_rows(self._path("rows"))
        self._path("rows").replace(targets["rows"])
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def _resume(self) -> None:
        try:
            state = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
            fits = state["key"] == self.key and all(
                self._path(name).stat().st_size >= state["sizes"][name] for name in STREAMS
            )
        except (OSError, ValueError, KeyError, TypeError):
            return
        if fits:
            self.done, self._sizes, self.counts = state["done"], state["sizes"], Counter(state["counts"])


def _line(row: Mapping[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", errors="backslashreplace")
