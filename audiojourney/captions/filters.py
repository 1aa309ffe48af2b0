"""Which captions of a clip are kept, and why the others are not.

Everything here reads a row: a mapping as `aj recaption` writes them, one a clip.

    {"id": ..., "file_name": ..., "duration": seconds, "labels": [...],
     "captions": [{"text": ..., "score": ..., "entailment": ...}],
     "checks": {"rms_db": ..., "clipped": share of samples, "duration_s": ...}}

No sound is opened: scores and levels were measured when the captions were made, so a row can be judged again by other
limits at any time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audiojourney.captions.keywords import keywords
from audiojourney.errors import UsageError

Row = Mapping[str, Any]
Dedupe = Literal["none", "text", "audio"]

# Every reason begins with one of these, mostly followed by ": " and a detail.
REASONS = {
    "score": "the caption fits the sound less than the threshold",
    "no_score": "there is a threshold, and the caption has no score",
    "keyword": "the caption has a word that is not wanted",
    "entailment": "the caption and the other evidence agree less than the threshold",
    "no_entailment": "there is a threshold, and agreement was not measured",
    "rank": "the clip has enough captions that fit better",
    "few_words": "the caption is too short",
    "many_words": "the caption is too long",
    "short": "the clip is too short",
    "long": "the clip is too long",
    "no_duration": "there is a limit, and the length of the clip is not known",
    "near_silent": "there is next to nothing to hear",
    "clipped": "too much of the sound is at full scale",
    "label": "none of the clip's labels is wanted",
    "no_caption": "the clip has no caption",
    "duplicate_text": "a clip before has the same caption",
    "duplicate_audio": "a clip before has the same sound",
}
_SLACK_S = 1e-6  # 5.1 s - 0.1 s are 5 s


@dataclass(frozen=True)
class Verdict:
    """What was decided on a caption or a clip.

    Attributes:
        kept: whether it stays.
        reason: why not, a key of `REASONS` and a detail, or "".
    """

    kept: bool
    reason: str = ""

    @property
    def code(self) -> str:
        """The reason without its detail, for counting."""
        return code_of(self.reason)


KEPT = Verdict(True)


@dataclass(frozen=True, kw_only=True)
class FilterConfig:
    """Limits; None sets none.

    Attributes:
        clap_threshold: lowest score of a caption (tau; 0.35 to 0.50 in the AF-AudioSet recipe).
        keep_best: captions kept of each clip, by score.
        drop_keywords: lists, files and `+words` of `audiojourney.captions.keywords`; a caption with one is dropped.
        keep_labels: a clip with none of these labels is dropped, whatever their case; empty keeps all.
        entailment_threshold: lowest agreement of a caption with the other evidence, 0 to 1 (Audio-Journey).
        min_words: fewest words of a caption.
        max_words: most words of a caption.
        min_duration_s: shortest clip, itself included.
        max_duration_s: longest clip, itself included.
        min_level_db: lowest root mean square of a clip that counts as sound, in dB of full scale.
        max_clipped: largest share of samples at full scale.
        dedupe: drop clips that repeat a caption (`text`) or a sound (`audio`) of a clip before.
        unscored: what becomes of captions whose score or agreement was not measured, and of clips of unknown length,
            where there is a limit: `drop` or `keep`.
    """

    clap_threshold: float | None = None
    keep_best: int | None = None
    drop_keywords: tuple[str, ...] = ()
    keep_labels: tuple[str, ...] = ()
    entailment_threshold: float | None = None
    min_words: int | None = None
    max_words: int | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    min_level_db: float | None = -60.0
    max_clipped: float | None = None
    dedupe: Dedupe = "none"
    unscored: Literal["drop", "keep"] = "drop"

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            UsageError: one that nothing could meet, or an unknown keyword list.
        """
        _check("clap_threshold", self.clap_threshold, -1.0, 1.0)
        _check("entailment_threshold", self.entailment_threshold, 0.0, 1.0)
        _check("max_clipped", self.max_clipped, 0.0, 1.0)
        _check("min_level_db", self.min_level_db, -math.inf, 0.0)
        _check("keep_best", self.keep_best, 1, math.inf)
        for name in ("min_words", "max_words", "min_duration_s", "max_duration_s"):
            _check(name, getattr(self, name), 0, math.inf)
        _check_order("words", self.min_words, self.max_words)
        _check_order("duration", self.min_duration_s, self.max_duration_s)
        keywords(self.drop_keywords)


def judge(row: Row, config: FilterConfig) -> tuple[Verdict, ...]:
    """Judge each caption of a row, in their order; a fault of the clip is one of all its captions.

    Earlier verdicts in the row are not looked at. Duplicates are a matter of the whole set (see `duplicates`).
    """
    captions = captions_of(row)
    clip = judge_clip(row, config)
    if not clip.kept:
        return (clip,) * len(captions)
    single = [judge_caption(caption, config) for caption in captions]
    return tuple(_rank(captions, single, config.keep_best))


def judge_clip(row: Row, config: FilterConfig) -> Verdict:
    """Judge what does not depend on a caption: labels, length, level, clipping."""
    checks = row.get("checks") or {}
    reason = _label_fault(row, config) or _length_fault(row, config) or _level_fault(checks, config)
    return Verdict(False, reason) if reason else KEPT


def judge_caption(caption: Row, config: FilterConfig) -> Verdict:
    """Judge one caption by itself: words, keywords, score, agreement."""
    text = str(caption.get("text", ""))
    reason = _words_fault(text, config) or _keyword_fault(text, config) or _score_fault(caption, config)
    return Verdict(False, reason) if reason else KEPT


def mark(row: Row, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the row with a verdict in each caption (`kept`, `reason`), those that are kept first."""
    marked = [
        {**caption, "kept": verdict.kept, "reason": verdict.reason}
        for caption, verdict in zip(captions_of(row), verdicts, strict=True)
    ]
    return {**row, "captions": sorted(marked, key=lambda caption: not caption["kept"])}


def row_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """Sum up the verdicts of a clip: kept with any caption that is, else dropped for the reason of the first."""
    if any(verdict.kept for verdict in verdicts):
        return KEPT
    return verdicts[0] if verdicts else Verdict(False, "no_caption")


def captions_of(row: Row) -> list[dict[str, Any]]:
    """Return the captions of a row, [] without any."""
    return list(row.get("captions") or ())


def duration_of(row: Row) -> float | None:
    """Return the length of a clip in seconds, or None where the row does not tell."""
    checks = row.get("checks") or {}
    for value in (row.get("duration"), checks.get("duration_s")):
        length = _number(value)
        if length is not None:
            return length
    start, end = _number(row.get("start")), _number(row.get("end"))
    return None if start is None or end is None else end - start


def score_of(caption: Row) -> float | None:
    """Return the score of a caption, or None where it was not measured."""
    return _number(caption.get("score"))


def code_of(reason: str) -> str:
    """Return the key of `REASONS` that a reason begins with, "" for ""."""
    return reason.partition(":")[0]


def _number(value: Any) -> float | None:
    """Return a finite number as it is, and None for anything else."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) else None


def _label_fault(row: Row, config: FilterConfig) -> str:
    if not config.keep_labels:
        return ""
    wanted = {label.casefold() for label in config.keep_labels}
    labels = [str(label) for label in row.get("labels") or ()]
    return "" if any(label.casefold() in wanted for label in labels) else f"label: {', '.join(labels) or 'none'}"


def _length_fault(row: Row, config: FilterConfig) -> str:
    least, most = config.min_duration_s, config.max_duration_s
    if least is None and most is None:
        return ""
    length = duration_of(row)
    if length is None:
        return "no_duration" if config.unscored == "drop" else ""
    if least is not None and length < least - _SLACK_S:
        return f"short: {length:.3f} s < {least:g} s"
    if most is not None and length > most + _SLACK_S:
        return f"long: {length:.3f} s > {most:g} s"
    return ""


def _level_fault(checks: Row, config: FilterConfig) -> str:
    level = _number(checks.get("rms_db"))
    if config.min_level_db is not None and level is not None and level < config.min_level_db:
        return f"near_silent: {level:.1f} dB < {config.min_level_db:g} dB"
    share = _number(checks.get("clipped")) or 0.0
    if config.max_clipped is not None and share > config.max_clipped:
        return f"clipped: {share:.3f} > {config.max_clipped:g}"
    return ""


def _words_fault(text: str, config: FilterConfig) -> str:
    count = len(text.split())
    if not count:
        return "few_words: 0"
    if config.min_words is not None and count < config.min_words:
        return f"few_words: {count} < {config.min_words}"
    if config.max_words is not None and count > config.max_words:
        return f"many_words: {count} > {config.max_words}"
    return ""


def _keyword_fault(text: str, config: FilterConfig) -> str:
    word = keywords(config.drop_keywords).find(text) if config.drop_keywords else ""
    return f"keyword: {word}" if word else ""


def _score_fault(caption: Row, config: FilterConfig) -> str:
    limits = (("score", config.clap_threshold), ("entailment", config.entailment_threshold))
    for name, least in limits:
        value = _number(caption.get(name))
        if least is None or (value is None and config.unscored == "keep"):
            continue
        if value is None:
            return f"no_{name}"
        if value < least:
            return f"{name}: {value:.4g} < {least:g}"
    return ""


def _rank(captions: Sequence[Row], verdicts: Sequence[Verdict], most: int | None) -> list[Verdict]:
    """Keep the best `most` of those that are kept; equal scores stay in their order, unknown ones come last."""
    if most is None:
        return list(verdicts)

    def badness(index: int) -> float:
        """How far back a caption stands."""
        score = score_of(captions[index])
        return math.inf if score is None else -score

    best = sorted((index for index, verdict in enumerate(verdicts) if verdict.kept), key=badness)[:most]
    rank = Verdict(False, f"rank: beyond the best {most}")
    return [rank if verdict.kept and index not in best else verdict for index, verdict in enumerate(verdicts)]


def _check(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        upper = "" if most == math.inf else f" to {most:g}"
        raise UsageError(f"{name} is {value}; expected {least:g}{upper or ' or more'}.")


def _check_order(name: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise UsageError(f"min_{name} is {least:g} and max_{name} {most:g}; nothing lies between them.")
