"""What a listening test is made of and what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audiojourney.errors import UsageError

VERSION = 1  # of the page's data and of the files of answers

# GenAu's user study: four questions on each pair, in this order.
CRITERIA = {
    "realism": "Which one sounds more real?",
    "quality": "Which one has the better sound quality?",
    "alignment": "Which one fits the prompt better?",
    "overall": "Which one do you prefer overall?",
}


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """Settings of `aj study`.

    Attributes:
        folders: folders, or manifests, of the systems that are compared.
        output: the page.
        title: heading of the page; it must not tell what is compared.
        count: prompts that are heard, drawn by the seed; all when None.
        design: compare each system with each other one (`all`), or the first with each of the others (`first`).
        pair: what two sounds of one prompt share: `id`, `name` (of the file, without its kind), `prompt`, or the first
            of these that fits (`auto`).
        captions: folder or manifest with the prompts, where the folders do not say them.
        ties: whether "no difference" is an answer.
        level: leave levels alone (`keep`), or turn the louder sound of a pair down to the RMS of the other (`match`).
        format: how sounds are stored; FLAC and WAV lose nothing.
        max_mb: a page that would be larger is refused.
        seed: of sides and of the choice of prompts.
        force: replace a page that is there.
    """

    folders: tuple[Path, ...] = ()
    output: Path = Path("study.html")
    title: str = "Listening test"
    count: int | None = None
    design: Literal["all", "first"] = "all"
    pair: Literal["auto", "id", "name", "prompt"] = "auto"
    captions: Path | None = None
    ties: bool = True
    level: Literal["keep", "match"] = "keep"
    format: Literal["flac", "ogg", "wav"] = "flac"
    max_mb: float = 100.0
    seed: int = 0
    force: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without a look at the folders.

        Raises:
            UsageError: no prompt is asked for, a negative seed, or a size of nothing.
        """
        if self.count is not None and self.count < 1:
            raise UsageError(f"count is {self.count}; expected 1 or more.")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}; expected 0 or more.")
        if not self.max_mb > 0:
            raise UsageError(f"max_mb is {self.max_mb}; expected more than 0.")
