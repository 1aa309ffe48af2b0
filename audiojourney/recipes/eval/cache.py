"""What was found out about files, kept so that it is found out once.

An entry belongs to the bytes of a sound and to the weights and settings that listened, never to a name or a date. A
part file holds some entries and is written whole, so that any number of programs may use the cache, and one that is
killed loses its last part at most.
"""

from __future__ import annotations

import io
import secrets
import threading
import time
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from audiojourney import files
from audiojourney.errors import AudioJourneyError

Entry = Mapping[str, np.ndarray]
ENTRIES = 64  # in a part
SECONDS = 20.0  # after which a part is written, full or not
_OPEN = 8  # parts that are held open
_FAULTS = (zipfile.BadZipFile, OSError, ValueError, KeyError, EOFError)


class EntryCache:
    """Named arrays under keys, in part files of one folder; for use by several threads.

    Args:
        folder: where the parts lie; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, zipfile.ZipFile] = OrderedDict()
        self._pending: dict[str, Entry] = {}
        self._since = time.monotonic()
        self._places: dict[str, tuple[Path, list[str]]] = {}
        for path in sorted(folder.glob("*.zip")) if folder is not None and folder.is_dir() else ():
            self._note(path)

    def get(self, key: str) -> Entry | None:
        """Return the arrays of an entry by name, or None where there is none or its part is damaged."""
        with self._lock:
            if key in self._pending:
                return self._pending[key]
            path, names = self._places.get(key, (None, []))
            if path is None:
                return None
            try:
                part = self._part(path)
                return {name: np.load(io.BytesIO(part.read(f"{key}/{name}")), allow_pickle=False) for name in names}
            except _FAULTS:
                self._places.pop(key)
                return None

    def put(self, key: str, entry: Entry) -> None:
        """Keep an entry; it is written with others, at the latest by `flush`."""
        if self.folder is None:
            return
        with self._lock:
            if not self._pending:
                self._since = time.monotonic()
            self._pending[key] = entry
            full = len(self._pending) >= ENTRIES or time.monotonic() - self._since > SECONDS
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what is not written yet. A cache that cannot be written costs time, not results, so it is given up."""
        with self._lock:
            pending, self._pending = self._pending, {}
            if not pending or self.folder is None:
                return
            path = self.folder / f"{secrets.token_hex(8)}.zip"
            try:
                files.write_bytes(path, _bytes(pending))
            except AudioJourneyError:
                self.folder = None
                return
            self._note(path)

    def close(self) -> None:
        """Write what is not written yet and let go of the files."""
        self.flush()
        with self._lock:
            for part in self._open.values():
                part.close()
            self._open.clear()

    def _note(self, path: Path) -> None:
        """Learn which entries a part holds; a damaged one holds none."""
        try:
            for name in self._part(path).namelist():
                key, _, field = name.partition("/")
                if self._places.setdefault(key, (path, []))[0] == path:
                    self._places[key][1].append(field)
        except _FAULTS:
            return

    def _part(self, path: Path) -> zipfile.ZipFile:
        if path not in self._open:
            self._open[path] = zipfile.ZipFile(path)
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(path)
        return self._open[path]


def _bytes(entries: Mapping[str, Entry]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as part:
        for key, entry in entries.items():
            for name, array in entry.items():
                member = io.BytesIO()
                np.save(member, array, allow_pickle=False)
                part.writestr(f"{key}/{name}", member.getvalue())
    return buffer.getvalue()
