"""Captions and sounds that came before, in a set of any size: one pass, memory that does not grow."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from audiojourney.captions.filters import Dedupe, Row, Verdict, captions_of
from audiojourney.data.spool import FirstSeen

_WORD = re.compile(r"\w+")

SoundHash = Callable[[Row], str]


class Duplicates:
    """Drops what repeats something that was kept before; the first one stays.

    Args:
        dedupe: what is compared: nothing, the words of captions, or the sounds of clips.
        sound_hash: gives the hash of a row's sound, "" where there is none; needed for `audio`.
    """

    def __init__(self, dedupe: Dedupe, sound_hash: SoundHash | None = None) -> None:
        self.dedupe = dedupe
        self._sound_hash = sound_hash
        self._seen = FirstSeen()
        self._count = 0

    def judge(self, row: Row, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        """Return the verdicts, with those captions dropped that are duplicates; rows come in their order."""
        if self.dedupe == "audio" and any(verdict.kept for verdict in verdicts):
            return self._judge_sound(row, tuple(verdicts))
        if self.dedupe == "text":
            pairs = zip(captions_of(row), verdicts, strict=True)
            return tuple(self._judge_text(caption, verdict) for caption, verdict in pairs)
        return tuple(verdicts)

    def _judge_text(self, caption: Row, verdict: Verdict) -> Verdict:
        if not verdict.kept or self._is_new(text_key(str(caption["text"]))):
            return verdict
        return Verdict(False, "duplicate_text")

    def _judge_sound(self, row: Row, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
        key = sound_key(row, self._sound_hash(row) if self._sound_hash else str(row.get("sha256") or ""))
        if not key or self._is_new(key):
            return verdicts
        repeated = Verdict(False, "duplicate_audio")
        return tuple(repeated if verdict.kept else verdict for verdict in verdicts)

    def _is_new(self, key: str) -> bool:
        self._count += 1
        return self._seen.before(key, self._count) is None


def text_key(text: str) -> str:
    """Return what is compared of a caption: its words, whatever their case and what stands between them."""
    return " ".join(_WORD.findall(text.casefold()))


def sound_key(row: Row, sha256: str) -> str:
    """Return what is compared of a sound: the hash of its file and, for a part of a file, which part; "" for none."""
    if not sha256 or row.get("audio_offset") is None:
        return sha256
    return f"{sha256}@{row['audio_offset']}+{row.get('duration')}"
