"""What is left of a subtitle without its markup, and whether it tells of a sound instead of speech."""

from __future__ import annotations

import html
import re
import unicodedata

_TAG = re.compile(
    r"</?(?:c|i|b|u|v|s|em|strong|span|font|ruby|rt|lang|br|p)(?:[\s.][^<>]*)?/?>|<[0-9][0-9:.]*>|\{\\[^{}]*\}",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|【[^【】]*】|（[^（）]*）|［[^［］]*］")
_NOTES = re.compile("[♩♪♫♬🎵🎶]")
_MARKS = " \t\n>-–—*.:"
# How words begin that a label about music has, in the languages that automatic subtitles use most.
_MUSIC = re.compile(
    r"musi[ckqk]|músic|müzi|muzy|muzi|музы|музи|音楽|音乐|音樂|음악|노래|संगीत|موسيق|موزیک|מוזיקה|μουσικ|nhạc|เพลง|ดนตรี|zene|hudba"
    r"|\b(?:glazb|songs?\b|melod|tunes?\b|orchest|guitar|piano|violin|drum|choir|bands?\b|instrument|jingle\b)",
    re.IGNORECASE,
)
_SPEECH = re.compile(
    r"\b(?:sing|sang\b|sung\b|chant|humm|rap\b|rapp|vocal|speak|spoke|speech|talk|conversation|chatter|dialog|voice)"
    r"|\b(?:narrat|announc|whisper|mumbl|murmur|mutter|says?\b|saying|said\b|repl(?:y|ies)\b|shout|yell|foreign)"
    r"|\b(?:language|translat|inaudible|indistinct|unintelligible|crosstalk|interpreter|reporter|radio|television|tv\b)",
    re.IGNORECASE,
)


def clean(text: str, unescape: int = 1) -> str:
    """Return a text without tags, entities, invisible characters and outer white space.

    Args:
        text: as it stands in the file.
        unescape: how often entities were written over each other.
    """
    plain = _TAG.sub("", text)
    for _ in range(unescape):
        plain = html.unescape(plain)
    seen = "".join(letter for letter in plain if unicodedata.category(letter) not in ("Cf", "Cc") or letter in "\n\t")
    return " ".join(seen.split())


def is_music(text: str) -> bool:
    """Say whether a cue tells of music: a label such as [Music], or notes."""
    return bool(_NOTES.search(text)) or any(_MUSIC.search(label) for label in _LABEL.findall(text))


def is_sound_label(text: str) -> bool:
    """Say whether a cue is nothing but labels of sounds, such as [door slams], none of music, song or speech."""
    labels = _LABEL.findall(text)
    if not labels or _LABEL.sub("", text).strip(_MARKS):
        return False
    return not any(_MUSIC.search(label) or _SPEECH.search(label) or _NOTES.search(label) for label in labels)
