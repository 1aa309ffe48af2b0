"""What a run of `aj recaption` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from audiojourney.recipes.recaption.shard import ShardReport
from audiojourney.recipes.recaption.stamp import Counts
from audiojourney.recipes.recaption.step import Spent

# written: the output is new. judged: stored scores were judged anew. unchanged: nothing was left to do.
# waiting: other processes have shards left. incomplete: it was asked to stop. submitted: a cluster does it.
# planned: a rehearsal.
Status = Literal["written", "judged", "unchanged", "waiting", "incomplete", "submitted", "planned"]


@dataclass(frozen=True)
class RecaptionReport:
    """What a run did.

    Attributes:
        status: how it ended.
        output: the list of captions.
        errors: the list of failures, or None without any.
        clips: clips of the input.
        done: clips whose captions are stored, failed ones included.
        shards: shards of the run, and how many of them are finished.
        counts: what became of clips and captions, once the output is written.
        identity: the models: `captioner`, `score_name`, `scorer`.
        fresh: clips that were worked on just now.
        wall_s: seconds of the whole run.
        spent: where the time of the processes went.
    """

    status: Status
    output: Path
    clips: int
    errors: Path | None = None
    done: int = 0
    shards: tuple[int, int] = (0, 0)
    counts: Counts = field(default_factory=Counts)
    identity: dict[str, str] = field(default_factory=dict)
    fresh: int = 0
    wall_s: float = 0.0
    spent: Spent = field(default_factory=Spent)

    @property
    def clips_per_s(self) -> float | None:
        """Clips worked on per second, loading included, or None when there were none."""
        return self.fresh / self.wall_s if self.fresh and self.wall_s else None

    def to_json(self) -> dict[str, Any]:
        """Return the line that `aj recaption --json` prints."""
        counts = asdict(self.counts)
        counts.pop("score_sum")
        counts.pop("scored")
        return {
            "status": self.status,
            "output": str(self.output),
            "errors_file": None if self.errors is None else str(self.errors),
            "clips": self.clips,
            "done": self.done,
            **counts,
            "mean_score": self.counts.mean_score,
            **self.identity,
            "shards": self.shards[1],
            "shards_done": self.shards[0],
            "fresh": self.fresh,
            "clips_per_s": self.clips_per_s,
            "wall_s": round(self.wall_s, 3),
            "seconds": {name: round(value, 3) for name, value in asdict(self.spent).items()},
        }


def summed(reports: Sequence[ShardReport]) -> Spent:
    """Return where the time of several shards went."""
    total = Spent()
    for report in reports:
        total.add(report.spent)
    return total
