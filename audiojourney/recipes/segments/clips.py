"""One video to rows of clips, or the reason why there are none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Clip, Metadata
from audiojourney.data.rows import Row, to_row
from audiojourney.data.transcripts.cue import Transcript
from audiojourney.data.transcripts.read import read_transcript
from audiojourney.data.transcripts.segments import Segment, cut, find_segments, has_subtitles
from audiojourney.errors import ClipError
from audiojourney.recipes.segments.config import SegmentsConfig
from audiojourney.recipes.segments.videos import (
    Found,
    Video,
    media_length_ms,
    milliseconds,
    read_info,
    wanted,
)

# Why a video gives no clip although nothing failed.
DISCARDED = {
    "no_transcript": "it has none",
    "language": "it has none in the wanted languages",
    "no_cues": "it has one that shows nothing, as a refused download or a silent recogniser leaves it",
    "no_segments": "no stretch without subtitle is long enough",
}


@dataclass
class Outcome:
    """What became of a video.

    Attributes:
        video: its name.
        rows: its clips.
        discarded: a key of `DISCARDED`, or "".
        errors: files that could not be used.
        media_ms: its length, or None where nothing tells.
        segments: number of stretches without subtitle.
        faults: cues that were left out.
        gapless: whether its subtitles leave no pauses at all.
    """

    video: str
    rows: list[Row] = field(default_factory=list)
    discarded: str = ""
    errors: list[dict[str, str]] = field(default_factory=list)
    media_ms: int | None = None
    segments: int = 0
    faults: int = 0
    gapless: bool = False


def clips_of(video: Video, config: SegmentsConfig, length_ms: int | None, folder: Path) -> Outcome:
    """Find the ambient clips of a video; a transcript that cannot be read is an error, never an exception.

    Args:
        video: its files.
        config: what is wanted.
        length_ms: its length, where a list told.
        folder: where the list of clips will lie.
    """
    outcome = Outcome(video.name)
    candidates = wanted(video.transcripts, config.languages)
    chosen = _choose(candidates, outcome)
    if chosen is None:
        if not outcome.errors:
            none_fits = "language" if video.transcripts else "no_transcript"
            outcome.discarded = "no_cues" if candidates else none_fits
        return outcome
    found, transcript = chosen
    info = _info(video, outcome)
    told = length_ms or milliseconds(info.get("duration")) or transcript.media_ms or media_length_ms(video.media)
    outcome.media_ms, outcome.faults, outcome.gapless = told, len(transcript.faults), transcript.gapless
    if not has_subtitles(transcript, told):
        outcome.discarded = "no_cues"
        return outcome
    segments = find_segments(transcript, told, config.cut)
    outcome.segments = len(segments)
    outcome.discarded = "" if segments else "no_segments"
    for index, piece in enumerate(cut(segments, config.cut)):
        outcome.rows.append(_row(video, index, piece, config, folder, _Text(found, transcript, info)))
    return outcome


def _choose(candidates: list[Found], outcome: Outcome) -> tuple[Found, Transcript] | None:
    """Take the first that somebody wrote; else the recogniser's original; else the first that shows anything."""
    read: list[tuple[Found, Transcript]] = []
    for found in candidates:
        try:
            read.append((found, read_transcript(found.path)))
        except ClipError as error:
            if error.code != "empty_file":  # a refused download, which is no fault of a file
                outcome.errors.append(_error(outcome, error, found.path))
    shown = [pair for pair in read if pair[1].cues]
    written = [pair for pair in shown if not pair[1].automatic and not pair[0].language.endswith("-orig")]
    original = [pair for pair in shown if pair[0].language.endswith("-orig")]
    return next(iter([*written, *original, *shown, *read]), None)


def _info(video: Video, outcome: Outcome) -> Mapping[str, Any]:
    try:
        return read_info(video.info)
    except ClipError as error:
        outcome.errors.append(_error(outcome, error, video.info or video.folder))
        return {}


def _error(outcome: Outcome, error: ClipError, path: Path) -> dict[str, str]:
    return {"id": outcome.video, "path": str(path), "code": error.code, "message": error.reason}


@dataclass(frozen=True)
class _Text:
    """What was chosen and published for a video."""

    found: Found
    transcript: Transcript
    info: Mapping[str, Any]

    def said(self, *names: str) -> str:
        """Return the first of the fields of the description that is a text."""
        return next((value for name in names if isinstance(value := self.info.get(name), str)), "")


def _row(video: Video, index: int, piece: Segment, config: SegmentsConfig, folder: Path, text: _Text) -> Row:
    fields = {"video_id": video.id, "index": index, "start_ms": piece.start_ms, "end_ms": piece.end_ms}
    media = video.media or video.folder / config.media.format_map(fields)
    length_ms = piece.end_ms - piece.start_ms
    clip = Clip(
        path=folder / os.path.relpath(media.absolute(), folder.absolute()),
        id=f"{video.name}_{index:03d}",
        offset_s=piece.start_ms / 1000,
        duration_s=length_ms / 1000,
        start_s=piece.start_ms / 1000,
        end_s=piece.end_ms / 1000,
        metadata=Metadata(title=text.said("title"), description=text.said("description")),
        source_url=text.said("webpage_url", "original_url"),
        extra=fields
        | {
            "duration_ms": length_ms,
            "segment_index": piece.stretch,
            "after_music": piece.after_music,
            "timing": config.cut.timing if text.transcript.automatic else "line",
            "transcript": {
                "format": text.transcript.format,
                "kind": "automatic" if text.transcript.automatic else "uploaded",
                "language": text.found.language,
                "cues": len(text.transcript.cues),
                "gapless": text.transcript.gapless,
            },
        },
    )
    return to_row(clip, folder)
