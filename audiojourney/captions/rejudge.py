"""Judging rows that were judged before: a verdict stands unless the same limit is set anew."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from audiojourney.captions.filters import FilterConfig, Row, Verdict, captions_of, code_of, judge

# Which settings decide anew on what was dropped for a reason. Other reasons, such as a failure, always stand.
_DECIDED_BY = {
    "score": ("clap_threshold",),
    "no_score": ("clap_threshold",),
    "keyword": ("drop_keywords",),
    "entailment": ("entailment_threshold",),
    "no_entailment": ("entailment_threshold",),
    "rank": ("keep_best",),
    "few_words": ("min_words",),
    "many_words": ("max_words",),
    "short": ("min_duration_s",),
    "long": ("max_duration_s",),
    "no_duration": ("min_duration_s", "max_duration_s"),
    "near_silent": ("min_level_db",),
    "clipped": ("max_clipped",),
    "label": ("keep_labels",),
    "duplicate_text": ("dedupe",),
    "duplicate_audio": ("dedupe",),
}
_UNSET: tuple[Any, ...] = (None, (), "none")


def judge_again(row: Row, config: FilterConfig, open_again: Collection[str] = ()) -> tuple[Verdict, ...]:
    """Judge each caption of a row; what was dropped before stays so, unless `config` sets the limit that dropped it.

    Args:
        row: with or without earlier verdicts.
        config: limits; those that are unset leave earlier verdicts as they are.
        open_again: reasons that are to be decided anew although no limit is set.
    """
    captions = captions_of(row)
    stands = [_stands(caption, config, open_again) for caption in captions]
    candidates = [caption for caption, earlier in zip(captions, stands, strict=True) if not earlier]
    fresh = iter(judge({**row, "captions": candidates}, config))
    return tuple(Verdict(False, earlier) if earlier else next(fresh) for earlier in stands)


def _stands(caption: Row, config: FilterConfig, open_again: Collection[str]) -> str:
    """Return the earlier reason against a caption where it still holds, else ""."""
    if caption.get("kept") is not False:
        return ""
    reason = str(caption.get("reason") or "dropped before")
    code = code_of(reason)
    settings = _DECIDED_BY.get(code, ())
    anew = code in open_again or any(getattr(config, name) not in _UNSET for name in settings)
    return "" if anew else reason
