"""What `aj recaption` says at the end."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from audiojourney.cli import _ui
from audiojourney.errors import PartialError

if TYPE_CHECKING:
    from audiojourney.recipes.recaption.config import RecaptionConfig
    from audiojourney.recipes.recaption.report import RecaptionReport

_WITH_OUTPUT = ("written", "judged", "unchanged")


def tell(report: RecaptionReport, config: RecaptionConfig, json: bool) -> None:
    """Print where the captions are and what became of the clips.

    Raises:
        PartialError: more clips failed than are allowed.
    """
    if json:
        _ui.out_json(report.to_json())
    elif report.status in _WITH_OUTPUT:
        _ui.out(str(report.output))
    _ui.say(_headline(report))
    if report.status in ("written", "judged"):
        _ui.say(_verdicts(report, config))
    if report.fresh:
        _ui.say(_times(report))
    if report.status in _WITH_OUTPUT and report.counts.errors > config.allow_errors:
        raise PartialError(f"{_clips(report.counts.errors)} failed, named in {report.errors}.")


def _headline(report: RecaptionReport) -> str:
    clips, left = _clips(report.clips), report.clips - report.done
    return {
        "written": f"{clips}: captions by {report.identity.get('captioner')}.",
        "judged": f"{clips}: stored scores were judged anew; no sound was read.",
        "unchanged": f"nothing to do: {report.output} has the captions of {report.counts.rows:,} of {clips}.",
        "waiting": f"this part is done; {report.shards[1] - report.shards[0]} of {report.shards[1]} shards are left to "
        "others, and whoever ends last writes the output.",
        "incomplete": f"incomplete: {left:,} of {clips} are left; the same command goes on from there.",
        "submitted": f"{clips} were handed to the cluster; the same command writes the output when it is done.",
        "planned": f"dry run: {clips} would be captioned into {report.output}; nothing was done.",
    }[report.status]


def _clips(count: int) -> str:
    return f"{count:,} clip" if count == 1 else f"{count:,} clips"


def _verdicts(report: RecaptionReport, config: RecaptionConfig) -> str:
    counts = report.counts
    dropped = ", ".join(f"{reason} {count:,}" for reason, count in counts.dropped.items())
    told = f"kept {counts.kept:,} of {counts.captions:,} captions ({_clips(counts.kept_clips)})"
    told += f"; dropped: {dropped}" if dropped else ""
    if counts.mean_score is not None:
        told += f"; mean {report.identity.get('score_name')} of the kept {counts.mean_score:.3f}"
    tau = config.limits.clap_threshold
    return f"{told}, threshold {tau:g}." if tau is not None else f"{told}."


def _times(report: RecaptionReport) -> str:
    spent = {name: value for name, value in dataclasses.asdict(report.spent).items() if value >= 0.05}
    went = ", ".join(f"{name} {value:.1f} s" for name, value in spent.items())
    return f"{report.clips_per_s or 0:.1f} clips/s in {report.wall_s:.1f} s" + (f": {went}." if went else ".")
