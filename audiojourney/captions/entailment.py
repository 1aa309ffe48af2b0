"""Do what is seen and what is heard belong together? The number that a language model gives, as in Audio-Journey.

Models are asked for a number from 0 to 1 and say many things. The first number of an answer counts; one outside the
range is no answer, since moving it into the range would hide that the model failed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audiojourney.captions.answers import bare
from audiojourney.captions.chat import ChatModel, ChatSettings, ask
from audiojourney.captions.prompts import Examples, Question, Shots, write_prompt
from audiojourney.errors import MissingError, UsageError

Wording = Literal["together", "describes"]
_NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# What turns a number into another one: a decimal comma, a percentage, a share of something else than one.
_OTHER = re.compile(r",\d|\s*(?:%|percent)|\s*(?:/|out of)\s*(?!1(?:\.0*)?(?![\d.]))\d", re.I)


@dataclass(frozen=True)
class Pair:
    """Two captions of one clip.

    Attributes:
        visual: what is seen.
        audio: what is heard: a sentence, or a label and its meaning (see `label_with_meaning`).
        single: one label is all that is known of the sound.
        seed: of what is drawn when a model is asked again.
    """

    visual: str
    audio: str
    single: bool
    seed: int


@dataclass(frozen=True)
class Judged:
    """How well a pair belongs together.

    Attributes:
        score: from 0 to 1, or None where no answer could be read.
        raw: the last answer word for word.
        failure: why there is no score, or "".
    """

    score: float | None
    raw: str
    failure: str = ""


def judge(
    model: ChatModel,
    pairs: Sequence[Pair],
    examples: Examples,
    settings: ChatSettings,
    wording: Wording = "describes",
    shots: Shots = "few",
) -> list[Judged]:
    """Ask a language model for the entailment score of each pair.

    The likeliest answer is taken; only where it cannot be read is another one drawn, `settings.attempts` in all.

    Args:
        model: who is asked.
        pairs: what is seen and heard.
        examples: what the model is shown.
        settings: attempts and temperature.
        wording: `together` is the question of the paper, `describes` that of its appendix.
        shots: how many examples are shown.
    """
    prompts = [write_prompt(_question(pair, wording), (pair.visual, pair.audio), examples, shots) for pair in pairs]
    results = ask(model, prompts, [pair.seed for pair in pairs], parse_score, settings)
    return [Judged(result.value, result.raw, result.failure) for result in results]


def parse_score(answer: str) -> tuple[float | None, str]:
    """Return the first number of an answer when it lies from 0 to 1; else None and what is wrong, behind "the answer".

    Percentages, fractions of something else than one and decimal commas are not read as what they are not.
    """
    text = bare(answer)
    found = _NUMBER.search(text)
    if found is None:
        return None, "holds no number"
    if _OTHER.match(text, found.end()):
        return None, f"holds {text[found.start() : found.end() + 8]!r} instead of a number from 0 to 1"
    value = float(found.group().replace("−", "-"))
    if not 0 <= value <= 1:
        return None, f"holds {value:g}, which is not from 0 to 1"
    return value, ""


def label_with_meaning(label: str, meanings: Mapping[str, str]) -> str:
    """Return the audio side of a clip with one label: the label and what AudioSet's ontology says of it."""
    meaning = meanings.get(label.lower(), "")
    return f"{label} : {meaning}" if meaning else label


def read_meanings(path: Path) -> dict[str, str]:
    """Return the description of each class of AudioSet, by its name in small letters.

    Args:
        path: `ontology.json` as it is published.

    Raises:
        MissingError: there is no such file.
        UsageError: it is no ontology.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        found = {str(row["name"]).lower(): " ".join(str(row["description"]).split()) for row in rows}
    except FileNotFoundError as error:
        raise MissingError(f"There is no ontology {str(path)!r}.") from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UsageError(f"{str(path)!r} is no ontology of AudioSet ({error}).", "Give ontology.json.") from error
    return found


def _question(pair: Pair, wording: Wording) -> Question:
    if wording == "together":
        return "entailment_together"
    return "entailment_single" if pair.single else "entailment_multi"
