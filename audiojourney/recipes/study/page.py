"""The page of a listening test."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audiojourney.recipes.page.document import document, header
from audiojourney.recipes.page.markup import Markup, data_block, tag, text_block
from audiojourney.recipes.page.media import KINDS
from audiojourney.recipes.page.parts import folded

_HERE = Path(__file__).parent


def study_page(table: Mapping[str, Any], sounds: Sequence[bytes], format: str) -> str:
    """Return the page.

    Args:
        table: what the script of the page reads: id, title, criteria, trials.
        sounds: files that the trials name by number.
        format: what kind of files they are.
    """
    blocks = [
        text_block(f"data-{number}", base64.b64encode(sound).decode("ascii")) for number, sound in enumerate(sounds)
    ]
    data = data_block("study", {**table, "kind": KINDS[format]})
    lost = "This browser keeps nothing: save your answers before you close the page."
    alarm = tag("p", lost, id="not-kept", class_="notice", role="alert", hidden=True)
    body = [alarm, _start(table), _trial(), _end(), _save_bar(), data, *blocks]
    return document(table["title"], body, styles=[_HERE / "study.css"], scripts=[_HERE / "study.js"], kind="study")


def _start(table: Mapping[str, Any]) -> Markup:
    count = len(table["trials"])
    asked = "no difference is an answer, too" if table["ties"] else "please decide even when it is hard"
    name = tag("input", type="text", id="listener", required=True, maxlength="80", autocomplete="off")
    earlier = tag("input", type="file", id="earlier", accept=".json,application/json")
    form = tag(
        "form",
        tag("div", tag("label", "Your name or code", for_="listener"), name, _told("resume-told"), class_="field"),
        tag("div", _button("Begin", "main", id="begin", type="submit"), class_="actions"),
        id="start-form",
    )
    return tag(
        "main",
        header(table["title"], f"{count} pairs of sounds"),
        tag(
            "p",
            f"You hear two sounds, A and B, and say how they compare; {asked}. "
            "Please use headphones and do not change the volume on the way. Listen as often as you like.",
        ),
        tag(
            "p",
            "Your answers stay in this browser until you save them as a file; nothing is sent anywhere. "
            "You may stop at any time and go on later with the same name.",
        ),
        form,
        folded(
            "Go on from a file of answers",
            tag("div", tag("label", "File", for_="earlier"), earlier, _told("earlier-told"), class_="field"),
        ),
        id="start",
    )


def _trial() -> Markup:
    bar = tag("progress", id="bar", value="0", max="1", aria_label="answered")
    panels = [
        tag(
            "div",
            tag("h3", letter, tag("kbd", letter, aria_hidden="true")),
            tag(
                "audio",
                id=f"sound-{side}",
                controls=True,
                preload="auto",
                controlslist="nodownload noplaybackrate",
                aria_label=f"Sound {letter}",
            ),
            id=f"panel-{side}",
            class_="panel",
        )
        for side, letter in (("left", "A"), ("right", "B"))
    ]
    return tag(
        "main",
        bar,
        tag("div", tag("h1", id="number", tabindex="-1"), tag("span", id="done"), class_="bar-row"),
        tag("div", tag("span", "Prompt"), tag("p", id="prompt"), id="prompt-box"),
        tag("div", *panels, class_="panels"),
        tag("p", id="listen-first", class_="soft", role="status"),
        tag("div", id="questions"),
        tag("div", _button("Previous", "other", id="previous"), _button("Next", "main", id="next"), class_="actions"),
        tag("div", folded("Keys", _keys()), class_="keys-help"),
        id="trial",
        hidden=True,
    )


def _keys() -> Markup:
    rows = (
        ("A", "B", "play or stop a sound"),
        ("1", "2", "answer the next open question"),
        ("N", "P", "next, previous"),
    )
    items = [tag("li", tag("kbd", one), " ", tag("kbd", other), f" {what}") for one, other, what in rows]
    return tag("ul", *items, class_="keys")


def _end() -> Markup:
    missing = tag(
        "div", tag("p", id="missing-count"), _button("Answer them", "other", id="back"), id="missing", hidden=True
    )
    return tag(
        "main",
        tag("h1", "Thank you", id="end-title", tabindex="-1"),
        tag("p", "Please save your answers now and send the file to whoever asked you."),
        missing,
        tag("div", _button("Save answers", "main save"), _told(None, "saved"), class_="actions"),
        id="end",
        hidden=True,
    )


def _save_bar() -> Markup:
    return tag(
        "footer",
        _button("Save answers so far", "other save"),
        _told(None, "saved"),
        id="save-bar",
        hidden=True,
    )


def _button(words: str, kind: str, *, id: str | None = None, type: str = "button") -> Markup:
    return tag("button", words, type=type, id=id, class_=kind)


def _told(name: str | None, kind: str | None = None) -> Markup:
    return tag("span", id=name, class_=f"soft {kind}" if kind else "soft", role="status")
