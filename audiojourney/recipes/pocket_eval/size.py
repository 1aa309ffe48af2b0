"""Gate: all pocket models together stay small."""

from __future__ import annotations

from audiojourney import hub
from audiojourney.recipes.describe import size_mb
from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure

GATE = "size"
MOST_MB = 60.0


def measure(bench: Bench) -> list[Figure]:
    """Add up every file of the folder of shipped models; an empty folder keeps no promise."""
    shipped = hub.pocket_models()
    return [
        Figure(
            gate=GATE,
            what="folder of pocket models, MB",
            sign="<=",
            limit=MOST_MB,
            reached=size_mb(hub.POCKET) if hub.DEFAULT_MODEL in shipped else float("nan"),
            clips=0,
            detail={name: size_mb(folder) for name, folder in shipped.items()},
        )
    ]
