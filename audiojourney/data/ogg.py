"""Ogg pages: one fixed stream serial number, so that equal sounds become equal bytes.

An encoder draws the serial number of a stream at random. It only has to differ between the streams of one file, and
the files here hold one.
"""

from __future__ import annotations

import struct
import zlib

from audiojourney.errors import AudioJourneyError

_HEADER_BYTES = 27
_SERIAL = slice(14, 18)
_CHECKSUM = slice(22, 26)
_SEGMENTS = 26
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def with_serial(data: bytes, serial: int) -> bytes:
    """Give every page of a one-stream Ogg file this serial number, with the checksum to match.

    Raises:
        AudioJourneyError: the bytes are not a chain of Ogg pages.
    """
    out, position = bytearray(data), 0
    while position < len(out):
        if out[position : position + 4] != b"OggS":
            raise AudioJourneyError(f"No Ogg page begins at byte {position} of {len(out)}.")
        sizes_end = position + _HEADER_BYTES + out[position + _SEGMENTS]
        end = sizes_end + sum(out[position + _HEADER_BYTES : sizes_end])
        page = out[position:end]
        page[_SERIAL] = struct.pack("<I", serial)
        page[_CHECKSUM] = bytes(4)
        page[_CHECKSUM] = struct.pack("<I", checksum(bytes(page)))
        out[position:end] = page
        position = end
    return bytes(out)


def checksum(page: bytes) -> int:
    """Ogg's CRC-32: polynomial 0x04c11db7, most significant bit first, start 0, no final inversion.

    It is zlib's CRC with the bits of every byte and of the result in reverse, without zlib's two inversions.
    """
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
