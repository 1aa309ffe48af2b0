"""What Audio-Journey asks a language model, word for word, and the examples that are shown with it.

The wordings are those of the paper's section on captions and of its appendix; the examples are our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from audiojourney import config
from audiojourney.errors import UsageError
from audiojourney.registry import offer

Question = Literal["labels", "frames", "audio_visual", "entailment_together", "entailment_single", "entailment_multi"]
Shots = Literal["zero", "one", "few"]

EXAMPLES = Path(__file__).with_name("examples.yaml")
_LIKELY = "on a scale from 0 to 1, output the probability that"
_DESCRIBES = f"{_LIKELY} the first caption describes a scenario with the second caption's sound description:"
INSTRUCTIONS: Mapping[Question, str] = {
    # The line break stands in the published prompt.
    "labels": "For each of these, summarize the sounds into a single sentence: \n"
    " describe a situation with all of these sounds together:",
    "frames": "Create one sentence that summarizes these three simply:",
    "audio_visual": "Summarize these two captions conditioned on the second caption, the second caption describes an "
    "audio class and is the main concept:",
    "entailment_together": f"{_LIKELY} these two captions happen together in float format:",
    "entailment_single": _DESCRIBES,
    "entailment_multi": _DESCRIBES,
}
_JOINT: Mapping[Question, str] = {"labels": ", "}
_LONGEST_ITEM = 400


@dataclass(frozen=True)
class Example:
    """A question and the answer that is wanted.

    Attributes:
        items: labels, or captions.
        answer: what a model should say.
    """

    items: tuple[str, ...]
    answer: str


Examples = Mapping[str, tuple[Example, ...]]


def load_examples(path: Path | None = None) -> Examples:
    """Read examples; questions that a file leaves out have those that come with the package.

    Args:
        path: a file like `audiojourney/captions/examples.yaml`; None for that file itself.

    Raises:
        MissingError: there is no such file.
        UsageError: it names an unknown question, or holds something else than pairs of input and answer.
    """
    table = config.load_yaml(EXAMPLES)
    if path is not None:
        table |= config.load_yaml(path)
    for question in table:
        if question not in get_args(Question):
            raise UsageError(f"{path}: there is no question {question!r}.", offer(str(question), get_args(Question)))
    return {question: tuple(_example(question, row, path) for row in rows or ()) for question, rows in table.items()}


def write_prompt(question: Question, items: Sequence[str], examples: Examples, shots: Shots = "few") -> str:
    """Return a prompt: the instruction, examples, and what is asked.

    Args:
        question: what is asked.
        items: labels, or captions in the order that the instruction speaks of.
        examples: all that are known.
        shots: how many of them are shown: none, the first, or all.
    """
    count = {"zero": 0, "one": 1, "few": None}[shots]
    lines = [INSTRUCTIONS[question]]
    for example in examples.get(question, ())[:count]:
        lines += ["", f"Input: {_joined(question, example.items)}", f"Response: {example.answer}"]
    return "\n".join([*lines, "", f"Input: {_joined(question, items)}", "Response:"])


def shown_answers(question: Question, examples: Examples, shots: Shots) -> frozenset[str]:
    """Return the answers that a prompt shows, in lower case without full stop: no answer should repeat them."""
    count = {"zero": 0, "one": 1, "few": None}[shots]
    return frozenset(example.answer.lower().rstrip(".") for example in examples.get(question, ())[:count])


def _joined(question: Question, items: Sequence[str]) -> str:
    """Return items as one line; what comes from a data set cannot begin a new one."""
    flat = [" ".join(item.split())[:_LONGEST_ITEM] for item in items]
    return _JOINT.get(question, " | ").join(flat)


def _example(question: str, row: Any, path: Path | None) -> Example:
    try:
        items, answer = row["input"], row["answer"]
        items = items.split(", ") if isinstance(items, str) else items
        if isinstance(items, list) and items and all(isinstance(text, str) for text in (*items, answer)):
            return Example(tuple(items), answer)
    except (TypeError, KeyError):
        pass
    raise UsageError(f"{path or EXAMPLES}: an example of {question!r} is {row!r}; expected an input and an answer.")
