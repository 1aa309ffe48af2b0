"""Elements of HTML as text in which nothing that was given can become markup.

`tag("td", name)` escapes `name`; only what `tag` itself returned goes in unchanged. Attributes that would run a script
or fetch something are refused, so that a page made of these elements can do neither.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

from audiojourney.errors import AudioJourneyError

_EMPTY = frozenset(("br", "hr", "img", "input", "meta"))
_ADDRESSES = frozenset(("src", "href", "action", "formaction", "poster", "data", "srcset", "background", "ping"))
_INSIDE = re.compile(r"data:[\w/+.-]*[;,]|#")  # addresses that are within the page
_NAME = re.compile(r"[a-zA-Z][\w-]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def escape(value: object) -> Markup:
    """Return a value as text of HTML; what is `Markup` stays as it is.

    Control characters become U+FFFD, and half surrogates, as in file names that are no UTF-8, their escapes.
    """
    if isinstance(value, Markup):
        return value
    plain = str(value).encode("utf-8", errors="backslashreplace").decode("utf-8")
    return Markup(html.escape(_UNSEEN.sub("\ufffd", plain), quote=True))


def join(parts: Iterable[object]) -> Markup:
    """Return values one after the other, escaped where they are no `Markup`."""
    return Markup("".join(map(escape, parts)))


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """Return an element.

    Args:
        name: of the element, such as `td`.
        *children: what is in it; None is left out.
        **attributes: `class_="wide"` gives class="wide", `data_id=3` gives data-id="3", True the name alone; None and
            False are left out.

    Raises:
        AudioJourneyError: an attribute would run a script, set a style or reach out of the page.
    """
    opening = f"<{_checked(name)}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _EMPTY:
        return Markup(opening)
    return Markup(f"{opening}{join(child for child in children if child is not None)}</{name}>")


def data_block(name: str, value: Any) -> Markup:
    """Return a value as JSON for the scripts of the page, under the id `name`; it is never run and never shown."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(f'<script type="application/json" id="{escape(name)}">{text}</script>')


def text_block(name: str, text: str) -> Markup:
    """Return base64 text for the scripts of the page, under the id `name`; it is read when needed, and never shown.

    Raises:
        AudioJourneyError: it is no base64.
    """
    if not _BASE64.fullmatch(text):
        raise AudioJourneyError(f"The block {name!r} of {len(text)} letters is no base64.")
    return Markup(f'<script type="text/plain" id="{escape(name)}">{text}</script>')


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise AudioJourneyError(f"{name!r} is no name of an element or attribute.")
    return name


def _attribute(key: str, value: object) -> str:
    name = _checked(key.rstrip("_").replace("_", "-"))
    if value is None or value is False:
        return ""
    if name.lower().startswith("on") or name.lower() == "style":
        raise AudioJourneyError(f"The attribute {name}={value!r} has no place in a page; use a class or a script.")
    if name.lower() in _ADDRESSES and not _INSIDE.match(str(value)):
        raise AudioJourneyError(f"{name}={str(value)[:60]!r} leads out of the page.")
    return f" {name}" if value is True else f' {name}="{escape(value)}"'
