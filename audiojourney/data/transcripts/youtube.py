"""Subtitles as YouTube serves them: json3, srv3 and the older srv1."""

from __future__ import annotations

import io
import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from typing import Any

from audiojourney.data.transcripts.cue import Draft, Line, Transcript
from audiojourney.data.transcripts.text import clean
from audiojourney.errors import ClipError

_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>\s*")
_DEEPEST = 16  # elements within each other
Part = tuple[str, int | None]  # text, and when it begins after its cue


def parse_json3(text: str) -> Transcript:
    """Read json3: events with times in milliseconds, words in `segs`.

    An event without `segs` is a window, not a cue; the one that spans the video tells its length.

    Raises:
        ClipError: `corrupt`.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClipError("corrupt", f"no JSON ({error})") from error
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise ClipError("corrupt", f"a list of events was expected, not {str(events)[:40]!r}")
    draft = Draft("json3")
    for number, event in enumerate(events, start=1):
        if isinstance(event, dict):
            _event(draft, f"event {number}", event)
        else:
            draft.lose(f"event {number} is no object")
    return draft.done()


def parse_xml(text: str) -> Transcript:
    """Read srv3 (`<timedtext>`, milliseconds) or srv1 (`<transcript>`, seconds, text escaped twice).

    Raises:
        ClipError: `corrupt`; or `not_transcript` for another kind of XML.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ClipError("corrupt", "a transcript declares no document type and no entities")
    elements = _elements(text)
    root = next(elements)
    if root.tag not in ("timedtext", "transcript"):
        raise ClipError("not_transcript", f"XML whose first element is {root.tag[:40]!r}")
    draft = Draft("srv3" if root.tag == "timedtext" else "srv1")
    for number, element in enumerate(elements, start=1):
        if element.tag == "p" and draft.format == "srv3":
            _paragraph(draft, f"paragraph {number}", element)
        elif element.tag == "text" and draft.format == "srv1":
            _text(draft, f"text {number}", element)
    return draft.done()


def _event(draft: Draft, where: str, event: dict[str, Any]) -> None:
    start, duration = _whole(event.get("tStartMs", 0)), _whole(event.get("dDurationMs"))
    segments = event.get("segs")
    if not segments:
        if start == 0 and duration and "id" in event:
            draft.media_ms = max(draft.media_ms or 0, duration)
        return
    if not isinstance(segments, list):
        draft.lose(f"{where}: its segs are no list")
        return
    parts = [(_words(part), _whole(part.get("tOffsetMs"))) for part in segments if isinstance(part, dict)]
    _add(draft, where, start, duration, parts)


def _words(segment: dict[str, Any]) -> str:
    text = segment.get("utf8")
    return text if isinstance(text, str) else ""


def _paragraph(draft: Draft, where: str, element: ET.Element) -> None:
    parts: list[Part] = [(element.text or "", None)]
    for child in element:
        parts += [("".join(child.itertext()), _whole(child.get("t"))), (child.tail or "", None)]
    _add(draft, where, _whole(element.get("t", 0)), _whole(element.get("d")), parts)


def _text(draft: Draft, where: str, element: ET.Element) -> None:
    start, length = _whole(element.get("start"), 1000), _whole(element.get("dur"), 1000)
    text = clean("".join(element.itertext()), unescape=1)  # the XML reader has undone the other escape
    draft.add(where, start, _end(start, length), (Line(text),) if text else ())


def _add(draft: Draft, where: str, start: int | None, length: int | None, parts: Sequence[Part]) -> None:
    """Take a cue of parts; they are words with times when more than one is to be seen, or the only one has a time."""
    text = clean("".join(text for text, _ in parts))
    words = [(text, offset) for text, offset in parts if clean(text)]
    timed = start is not None and (len(words) > 1 or any(offset is not None for _, offset in words))
    starts = tuple((start or 0) + (offset or 0) for _, offset in words) if timed else ()
    draft.add(where, start, _end(start, length), (Line(text, starts),) if text else ())


def _end(start: int | None, length: int | None) -> int | None:
    return None if start is None or length is None else start + length


def _whole(value: Any, factor: int = 1) -> int | None:
    """Read a time, which may come as a text, as whole milliseconds; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value) * factor
    except (ValueError, OverflowError):
        return None
    return round(number) if math.isfinite(number) else None


def _elements(text: str) -> Iterator[ET.Element]:
    """Yield the first element when it opens and every other one when it closes.

    Raises:
        ClipError: `corrupt`.
    """
    depth = 0
    data = _DECLARATION.sub("", text).encode("utf-8")  # the encoding that it names is no longer that of the text
    try:
        for kind, element in ET.iterparse(io.BytesIO(data), events=("start", "end")):
            depth += 1 if kind == "start" else -1
            if depth > _DEEPEST:
                raise ClipError("corrupt", f"XML whose elements lie {depth} deep")
            if (kind == "end" and depth) or (kind == "start" and depth == 1):
                yield element
    except (ET.ParseError, UnicodeError) as error:
        raise ClipError("corrupt", f"no XML ({error})") from error
