"""Settings of `aj data segments`, each default in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter

from audiojourney.captions.keywords import keywords
from audiojourney.data.transcripts.segments import CutConfig
from audiojourney.errors import UsageError

OUTPUT_NAME = "segments.jsonl"
MERGED_NAME = "merged.jsonl"
_FIELDS = ("video_id", "index", "start_ms", "end_ms")


@dataclass(frozen=True, kw_only=True)
class SegmentsConfig:
    """Settings of `aj data segments`.

    Attributes:
        inputs: folders that are searched for transcripts, and transcript files; with `merge`, lists of captions.
        output: list of clips; None puts `segments.jsonl` into the folder of the first input.
        videos: list of all videos, with `id` and `duration` in seconds; those without transcript are named as such.
        languages: languages that a transcript may be in, by the end of its name (`x.en.vtt`); one without such an end
            counts as right. Empty takes any.
        media: file name of a video's sound where none lies beside the transcript.
        cut: how segments are found and cut.
        merge: join clips of captioned lists that follow each other and have the same caption.
        drop_keywords: with `merge`, lists, files and `+words`; a clip whose caption has one of them is dropped.
        force: replace an output that was made in another way.
    """

    inputs: tuple[Path, ...] = (Path("transcripts"),)
    output: Path | None = None
    videos: Path | None = None
    languages: tuple[str, ...] = ("en",)
    media: str = "{video_id}.wav"
    cut: CutConfig = field(default_factory=CutConfig)
    merge: bool = False
    drop_keywords: tuple[str, ...] = ()
    force: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without reading anything.

        Raises:
            UsageError: a value that cannot be meant.
        """
        if not self.inputs:
            raise UsageError(f"There is nothing to read among {self.inputs}.", "Name a folder of transcripts.")
        try:
            names = {name for _, name, _, _ in Formatter().parse(self.media) if name is not None}
        except ValueError as error:
            raise UsageError(f"--media is {self.media!r} ({error}).", "Write it like '{video_id}.flac'.") from error
        if names - set(_FIELDS) or "video_id" not in names:
            raise UsageError(f"--media is {self.media!r}; expected {{video_id}}, and at most {', '.join(_FIELDS)}.")
        if self.drop_keywords and not self.merge:
            told = f"--drop-keywords {','.join(self.drop_keywords)} looks at captions, and segments have none yet."
            raise UsageError(told, "Caption them first, then use it with --merge, or in `aj filter`.")
        keywords(self.drop_keywords)
