"""Captions to words by the rules of the Penn Treebank, as the public caption metrics do it; named `ptb-lite`.

Lower case, contractions split (`it 's`, `do n't`, `can not`), brackets as `-lrb-` and `-rrb-`, other punctuation left
out. These are the rules that captions need; the Java tokenizer knows more of web addresses and abbreviations.
"""

from __future__ import annotations

import re

TOKENIZER = "ptb-lite"

# What the public tools leave out. Brackets survive there, because their names are in lower case by then.
PUNCTUATION = frozenset(("''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"))
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_LETTERS = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "--", "—": "--", "…": "..."})
_JOINED = {
    "cannot": ("can", "not"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "wanna": ("wan", "na"),
    "gimme": ("gim", "me"),
    "lemme": ("lem", "me"),
    "'tis": ("'t", "is"),
    "'twas": ("'t", "was"),
}
_TOKEN = re.compile(
    r"""
    (?:[a-z]\.){2,}                                # a.m.
    | (?:mr|mrs|ms|dr|st|vs|etc|jr|sr|prof)\.      # abbreviations keep their stop
    | '(?:tis|twas|em|til|cause|n')                # words that begin with an apostrophe
    | '(?:s|m|d|re|ve|ll)\b                        # endings that stand alone
    | (?<!\w)[-+]?\.?\d+(?:[.,:/]\d+)*(?![-'/\w])  # 1,000  3.5  .5  -20  10:30
    | (?<!\w)[a-z]\.(?!\w)                        # single letters keep their stop
    | \w+(?:[-'/@._]\w+)*                          # words, also high-pitched, o'clock and km/h
    | \.\.\. | --+ | \S
    """,
    re.VERBOSE,
)
_ENDING = re.compile(r"(.+)('(?:s|m|d|re|ve|ll))")
_NOT = re.compile(r"(.+)(n't)")


def tokenize(text: str) -> list[str]:
    """Words of a caption in lower case, without punctuation."""
    words: list[str] = []
    for token in _TOKEN.findall(text.translate(_LETTERS).lower()):
        if token not in PUNCTUATION and token != '"' and not token.startswith("--"):
            words += _parts(_BRACKETS.get(token, token))
    return words


def _parts(token: str) -> tuple[str, ...]:
    if token in _JOINED:
        return _JOINED[token]
    split = _NOT.fullmatch(token) or _ENDING.fullmatch(token)
    return split.groups() if split else (token,)
