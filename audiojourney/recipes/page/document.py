"""The page around its contents: head, policy, styles and scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.page.markup import Markup, escape, join

HERE = Path(__file__).parent


def document(
    title: str, body: Sequence[object], *, styles: Sequence[Path] = (), scripts: Sequence[Path] = (), kind: str = ""
) -> str:
    """Return a whole page, with `page.css` and `page.js` and the files that are named besides.

    A browser lets the page run its own scripts, by their hashes, and load what stands in it; whatever else a page can
    ask for is forbidden.

    Args:
        title: of the window.
        body: parts of the page (see `audiojourney.recipes.page.markup.tag`).
        styles: further style sheets, in order.
        scripts: further scripts, in order.
        kind: class of the body, for styles of one kind of page.
    """
    css = [_text(path) for path in (HERE / "page.css", *styles)]
    js = [_text(path) for path in (HERE / "page.js", *scripts)]
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy(css, js))}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        '<link rel="icon" href="data:,">',
        f"<title>{escape(title)}</title>",
        *(f"<style>{text}</style>" for text in css),
    ]
    ends = "\n".join(f"<script>{text}</script>" for text in js)
    opening = f'<body class="{escape(kind)}">' if kind else "<body>"
    lines = ("<!doctype html>", '<html lang="en">', "<head>", *head, "</head>", opening, join(body), ends)
    return "\n".join((*lines, "</body>", "</html>", ""))


def policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Return a Content-Security-Policy under which these texts alone are applied and run, and nothing is fetched."""
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(map(_hash, scripts)) or "'none'",
        "style-src": " ".join(map(_hash, styles)) or "'none'",
        "img-src": "data:",
        "media-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _text(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if "</s" in text.lower():
        raise AudioJourneyError(f"{path.name} holds '</s', which would end its element in the page.")
    return text


def header(title: str, *lines: object) -> Markup:
    """Return the top of a page: its heading, and lines of text below it."""
    paragraphs = join(Markup(f'<p class="lead">{escape(line)}</p>') for line in lines if line)
    return Markup(f"<header><h1>{escape(title)}</h1>{paragraphs}</header>")
