"""Is the answer of a language model a caption? Nothing of an answer is ever run, opened or used as a path.

A reason is a short phrase that fits behind "the answer"; a caption is one plain sentence about sounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FEWEST_WORDS = 3
MOST_WORDS = 60
MOST_CHARACTERS = 400
RAW_KEPT = 2000

_THOUGHT = re.compile(r"^\s*<think(?:ing)?>.*?</think(?:ing)?>", re.S | re.I)
_LABEL = re.compile(r"^(?:caption|response|answer|output|sentence|summary)\s*:\s*", re.I)
_POLITE = r"sure|certainly|of course|okay|ok|here(?:'s| is| are)|the (?:caption|sentence)"
_PREAMBLE = re.compile(rf"^(?:{_POLITE})\b.*:$", re.I)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]")


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I | re.M)


_MARKUP = _any(
    r"`|\*\*|__|[{}]",
    r"^#{1,6}\s|^\s*[-*•>|]\s|^\s*\d+[.)]\s",
    r"</?[a-z!][^>]*>|&\w+;|\[INST",
    r"\]\(|https?://|www\.",
    r"\\[a-z]{2,}|\$\(",
)
_REFUSAL = _any(
    r"\bi(?:'m| am) (?:sorry|unable|not able|afraid|just an?)\b",
    r"\bi (?:cannot|can't|can not|won't|will not|do not|don't)\b",
    r"\bas an? (?:ai|artificial|language model)\b|\blanguage model\b|\bas a large\b",
    r"\bunfortunately,? i\b|\bi apologi[sz]e\b|\bmy apologies\b",
    r"\b(?:not |un)able to (?:help|assist|comply|hear|listen|fulfil)",
)
_INSTRUCTION = _any(
    r"^(?:please|note that|remember|make sure|be sure|do not|don't|ignore|disregard|forget|execute|install|download)\b",
    r"^(?:step \d|first, you|let me|let us|let's|follow|to (?:do|create|write|generate|describe|summari[sz]e))\b",
    r"^(?:write|describe|summari[sz]e|create|provide|generate|list|give|use|run|open|imagine|combine|consider)\s+"
    r"(?:me|a|an|the|one|your|this|these|those|each|every|two|three|all|it|them|with|on)\b",
    r"\b(?:inputs?|responses?|instructions?|prompt|system|user|assistant|task):",
    r"\byou (?:should|must|need to|have to|are asked)\b",
    r"\b(?:previous|above|following) (?:instructions?|prompt)|\bsystem prompt\b",
    r"\bsudo\b|\brm -\w",
    r"\bthese (?:labels|captions|instructions)\b",
)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Limits:
    """How long a caption may be.

    Attributes:
        fewest_words: words that it has at least.
        most_words: words that it has at most.
    """

    fewest_words: int = FEWEST_WORDS
    most_words: int = MOST_WORDS


LIMITS = Limits()


@dataclass(frozen=True)
class Checked:
    """An answer looked at.

    Attributes:
        text: the caption in it, or "" where there is none.
        fault: why there is none, or "".
    """

    text: str
    fault: str = ""


def check_caption(answer: str, limits: Limits = LIMITS, forbidden: frozenset[str] = frozenset()) -> Checked:
    """Take the caption out of an answer.

    A polite line in front, a name such as "Caption:", quotation marks and written thoughts are taken off; anything
    else that is not one sentence is a fault.

    Args:
        answer: what a model said, of any length.
        limits: how long a caption may be.
        forbidden: sentences, in lower case, that are no answer, such as the examples that were shown.
    """
    text = bare(answer)
    for wrong, fault in (
        (not text, "is empty"),
        (len(text) > MOST_CHARACTERS, f"is too long ({len(text)} characters)"),
        (_CONTROL.search(text), "holds control characters"),
        (_REFUSAL.search(text), "is a refusal"),
        (_MARKUP.search(text), "holds markup"),
        (_INSTRUCTION.search(text), "is an instruction"),
        ("\n" in text, "has several lines"),
    ):
        if wrong:
            return Checked("", fault)
    words = len(_WORD.findall(text))
    if words < limits.fewest_words:
        return Checked("", f"is too short ({words} words)")
    if words > limits.most_words:
        return Checked("", f"is too long ({words} words)")
    if text.lower().rstrip(".") in forbidden:
        return Checked("", "repeats an example")
    return Checked(" ".join(text.split()))


def bare(answer: str) -> str:
    """Return an answer without thoughts, polite line, name and quotation marks."""
    if len(answer) > 50 * MOST_CHARACTERS:  # patterns over megabytes would take their time
        answer = answer[: 50 * MOST_CHARACTERS]
    text = _THOUGHT.sub("", answer).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and _PREAMBLE.match(lines[0]):
        lines = lines[1:]
    text = _LABEL.sub("", "\n".join(lines)).strip()
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def kept_raw(answer: str) -> str:
    """Return an answer for the record, cut where it is longer than anybody reads."""
    return answer if len(answer) <= RAW_KEPT else f"{answer[:RAW_KEPT]} [{len(answer) - RAW_KEPT} more characters]"
