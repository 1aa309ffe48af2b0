"""Ogg pages: one fixed stream serial number, so that equal sounds become equal bytes.

An encoder draws the serial number of a stream at random. It only has to differ between the streams of one file, and
the files here hold one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_HEADER_BYTES = 27
_FLAGS = 5
_LAST_PAGE = 4
_SERIAL = slice(14, 18)
_CHECKSUM = slice(22, 26)
_SEGMENTS = 26
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def with_serial(data: bytes, serial: int) -> bytes:
    """Give every page of a whole one-stream Ogg file this serial number, with the checksum to match."""
    out = bytearray(data)
    for start, end in _pages(data):
        page = out[start:end]
        page[_SERIAL] = struct.pack("<I", serial)
        page[_CHECKSUM] = bytes(4)
        page[_CHECKSUM] = struct.pack("<I", checksum(page))
        out[start:end] = page
    return bytes(out)


def fault(data: bytes) -> tuple[str, str] | None:
    """Return (`truncated` or `corrupt`, the reason in words) when an Ogg file is not whole, else None.

    Decoders skip damaged pages and take any end for the end. Here every checksum is compared, and the last page has to
    be marked as the last; what follows such a page is not looked at.
    """
    position, flags = 0, 0
    for start, end in _pages(data):
        if end > len(data):
            return "truncated", f"the Ogg page at byte {start} ends beyond the file's {len(data)} bytes."
        page = bytearray(data[start:end])
        stored = struct.unpack("<I", page[_CHECKSUM])[0]
        page[_CHECKSUM] = bytes(4)
        if stored != checksum(page):
            return "corrupt", f"the Ogg page at byte {start} does not match its checksum."
        position, flags = end, page[_FLAGS]
    if flags & _LAST_PAGE:
        return None
    if position < len(data):
        return "corrupt", f"no Ogg page begins at byte {position}."
    return "truncated", f"the Ogg stream has no end within the file's {len(data)} bytes."


def checksum(page: bytes | bytearray) -> int:
    """Ogg's CRC-32: polynomial 0x04c11db7, most significant bit first, start 0, no final inversion.

    It is zlib's CRC with the bits of every byte and of the result in reverse, without zlib's two inversions.
    """
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)


def _pages(data: bytes) -> Iterator[tuple[int, int]]:
    """Walk the bounds of adjoining pages; the last may end beyond the data."""
    position = 0
    while data[position : position + 4] == b"OggS":
        body = position + _HEADER_BYTES + (data[position + _SEGMENTS] if position + _SEGMENTS < len(data) else 0)
        end = body + sum(data[position + _HEADER_BYTES : body])
        yield position, end
        position = end
