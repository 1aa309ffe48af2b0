"""What was published beside a sound, as tokens that a captioner reads.

Each field stands between a pair of tags, which have numbers of their own after the vocabulary of BART. A field that is
absent leaves an empty pair.

B batch, N tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from audiojourney.data.clip import Clip
from audiojourney.hub import fetch
from audiojourney.models.autocap.config import END, FIELDS, PAD, Blanks
from audiojourney.models.transformers_parts import read_tokenizer

BYTES = "bytes"
BART_BASE = "facebook/bart-base"
_FILES = ("config.json", "tokenizer.json", "vocab.json", "merges.txt")
# Place of the opening tag; the closing one follows. The others are tags that the published model never reads.
_TAGS = {"visual_caption": 0, "title": 4, "subtitles": 8, "labels": 10}


class Tokenizer(Protocol):
    """Text to numbers below the vocabulary of BART, and back."""

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without any in front or behind."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, those of start, end and padding left out."""


class ByteTokenizer:
    """One token a byte, after four special ones: needs no file, so training can be tried anywhere."""

    def encode(self, text: str) -> list[int]:
        """Return one token for each byte."""
        return [4 + byte for byte in text.encode("utf-8", "replace")]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of the bytes; what is no UTF-8 is replaced."""
        return bytes(token - 4 for token in tokens if 4 <= token < 260).decode("utf-8", "replace").strip()


class BartTokenizer:
    """The byte-pair tokenizer of BART.

    Args:
        tokenizer: that of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens."""
        return self.tokenizer.decode(list(tokens), skip_special_tokens=True).strip()


def open_tokenizer(name: str) -> Tokenizer:
    """Open a tokenizer: "bytes", a local folder, or a Hub id.

    Raises:
        MissingError: it is not on this machine and cannot be fetched.
    """
    if name == BYTES:
        return ByteTokenizer()
    folder = Path(name).expanduser()
    return BartTokenizer(read_tokenizer(folder if folder.is_dir() else fetch(name, _FILES)))


def metadata_of(clip: Clip) -> dict[str, str]:
    """Return what a captioner may read of a clip by field; tags stand in for labels where there are none."""
    about = clip.metadata
    return {
        "labels": ", ".join(clip.labels or about.tags),
        "visual_caption": about.visual_caption,
        "title": about.title,
        "subtitles": about.subtitles,
    }


def metadata_tokens(
    values: Mapping[str, str],
    fields: Sequence[str],
    tokenizer: Tokenizer,
    *,
    vocabulary: int,
    longest: int,
    blanks: Blanks = "dropped",
) -> list[int]:
    """Return the tokens of metadata with its closing `</s>`, at most `longest` + 1.

    Args:
        values: texts by field.
        fields: which of them are read; their order is always that of `FIELDS`.
        tokenizer: for the texts.
        vocabulary: size of BART's vocabulary, from where on tags are numbered.
        longest: tokens after which it is cut.
        blanks: whether the blanks beside tags and the line feeds between fields are tokens.
    """
    tokens: list[int] = []
    for name in (name for name in FIELDS if name in fields):
        text = values.get(name, "").strip()
        if blanks == "kept":
            tokens += tokenizer.encode(" \n ") if tokens else []
            text = f" {text} "
        opening = vocabulary + _TAGS[name]
        tokens += [opening, *tokenizer.encode(text), opening + 1]
    return [*tokens[:longest], END]


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return tokens (B, N) and their mask (B, N), 1 where a token is real, both int64."""
    width = max((len(row) for row in rows), default=0)
    ids = torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows], dtype=torch.long).view(len(rows), width)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], dtype=torch.long)
    return ids, mask.view(len(rows), width)
