"""The commands of `aj`: one line each, their modules imported only when called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One command.

    Attributes:
        section: heading in `aj --help`.
        summary: one line on what it does.
        module: where it is defined, as a Typer application `app` or a function named like the module; None while it
            is not built.
    """

    section: str
    summary: str
    module: str | None


_DATA = "Make data"
_MODELS = "Make models"
_SOUND = "Make and judge sound"
_HELPERS = "Helpers"
_HERE = "audiojourney.cli"

COMMANDS = {
    "recaption": Entry(_DATA, "Write captions for audio clips, score and filter them.", f"{_HERE}.recaption"),
    "filter": Entry(_DATA, "Keep caption/audio pairs by score, keyword, length.", f"{_HERE}.filter"),
    "pretrain": Entry(_MODELS, "Train a model from scratch on captioned audio.", f"{_HERE}.pretrain"),
    "finetune": Entry(_MODELS, "Adapt a trained model to your own data.", f"{_HERE}.finetune"),
    "generate": Entry(_SOUND, "Turn text prompts into sound.", f"{_HERE}.generate"),
    "eval": Entry(_SOUND, "Measure generated audio or captions.", f"{_HERE}.eval"),
    "augment-classifier": Entry(_SOUND, "Train a classifier with generated clips added.", None),
    "study": Entry(_SOUND, "Compare sounds by ear: make a blind test, score its answers.", f"{_HERE}.study"),
    "data": Entry(_HELPERS, "Make and look after data sets.", f"{_HERE}.data"),
    "models": Entry(_HELPERS, "List, show and fetch models.", f"{_HERE}.models"),
    "info": Entry(_HELPERS, "Say how a sound was made, or what a model is.", f"{_HERE}.info"),
    "doctor": Entry(_HELPERS, "Check the installation.", f"{_HERE}.doctor"),
}
