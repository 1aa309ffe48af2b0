"""Tables that may outgrow memory: they lie in a temporary file of SQLite's, which vanishes by itself."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

_CACHE_KIB = 32_768


class FirstSeen:
    """Remembers a number for each key, the first that was given.

    Keys of any number take a fixed amount of memory.
    """

    def __init__(self) -> None:
        self._table = _open("CREATE TABLE seen (key BLOB PRIMARY KEY, value INTEGER) WITHOUT ROWID")

    def before(self, key: str, value: int) -> int | None:
        """Return what `key` was first given with, or None when this is the first time; then `value` is kept."""
        packed = _packed(key)
        if self._table.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (packed, value)).rowcount:
            return None
        return self._table.execute("SELECT value FROM seen WHERE key = ?", (packed,)).fetchone()[0]


class Counts:
    """Counts keys, however many there are."""

    def __init__(self) -> None:
        self._table = _open("CREATE TABLE counts (key BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID")

    def add(self, key: str, times: int = 1) -> None:
        """Count `key` so many times more."""
        self._table.execute(
            "INSERT INTO counts VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET number = number + ?2",
            (_packed(key), times),
        )

    def of(self, key: str) -> int:
        """Return how often `key` was counted."""
        row = self._table.execute("SELECT number FROM counts WHERE key = ?", (_packed(key),)).fetchone()
        return row[0] if row else 0

    def spread(self) -> dict[int, int]:
        """Return for each count how many keys have it, in ascending order."""
        return dict(self._table.execute("SELECT number, COUNT(*) FROM counts GROUP BY number ORDER BY number"))


class Kept:
    """Values that JSON can hold, in the order in which they came, however many there are."""

    def __init__(self) -> None:
        self._table = _open("CREATE TABLE kept (place INTEGER PRIMARY KEY, value TEXT)")

    def append(self, value: Any) -> None:
        """Add a value."""
        self._table.execute("INSERT INTO kept (value) VALUES (?)", (json.dumps(value),))

    def __iter__(self) -> Iterator[Any]:
        for (text,) in self._table.execute("SELECT value FROM kept ORDER BY place"):
            yield json.loads(text)


def grouped(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Collect the values of equal keys, in the order in which keys and values first came.

    Args:
        pairs: keys and values that JSON can hold.
    """
    table = _open("CREATE TABLE keys (number INTEGER PRIMARY KEY, key BLOB UNIQUE)")
    table.execute("CREATE TABLE items (key INTEGER, place INTEGER, value TEXT, PRIMARY KEY (key, place)) WITHOUT ROWID")
    for place, (key, value) in enumerate(pairs):
        packed = _packed(key)
        table.execute("INSERT OR IGNORE INTO keys (key) VALUES (?)", (packed,))
        table.execute(
            "INSERT INTO items SELECT number, ?, ? FROM keys WHERE key = ?", (place, json.dumps(value), packed)
        )
    current: bytes | None = None
    values: list[Any] = []
    for packed, text in table.execute(
        "SELECT keys.key, items.value FROM items JOIN keys ON keys.number = items.key ORDER BY items.key, items.place"
    ):
        if packed != current:
            if current is not None:
                yield _unpacked(current), values
            current, values = packed, []
        values.append(json.loads(text))
    if current is not None:
        yield _unpacked(current), values


def _open(statement: str) -> sqlite3.Connection:
    """Open a database without a name: SQLite writes it to a temporary file once it has outgrown its cache."""
    table = sqlite3.connect("", isolation_level=None)
    table.execute("PRAGMA journal_mode = OFF")
    table.execute("PRAGMA synchronous = OFF")
    table.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    table.execute(statement)
    return table


def _packed(key: str) -> bytes:
    return key.encode("utf-8", errors="surrogatepass")  # names of files need not be UTF-8


def _unpacked(packed: bytes) -> str:
    return packed.decode("utf-8", errors="surrogatepass")
