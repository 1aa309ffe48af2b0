"""How many clips the models are given at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.decode import Heard
from audiojourney.recipes.recaption.folder import Outcome
from audiojourney.recipes.recaption.models import Models
from audiojourney.recipes.recaption.step import Spent, failure, is_out_of_memory, outcomes

AUTO_CPU = 8
AUTO_GPU = 32
_fitting: dict[str, int] = {}  # what was found to fit, by device


def size(config: RecaptionConfig, on_gpu: bool) -> int:
    """Return the clips of a batch: as set, or for `auto` what was found to fit, else a start for the device."""
    if config.batch != "auto":
        return config.batch
    return _fitting.get(config.device, AUTO_GPU if on_gpu else AUTO_CPU)


def perform(heard: Sequence[Heard], models: Models, config: RecaptionConfig, spent: Spent) -> list[Outcome]:
    """Caption a batch; where it is too large for the memory and the batch is `auto`, in halves, and remember that.

    A single clip that is too large is a clip that failed.

    Raises:
        AudioJourneyError: the memory is too small for a batch of the size that was asked for.
    """
    fitting = size(config, models.on_gpu)
    if len(heard) > fitting:
        pieces = [heard[start : start + fitting] for start in range(0, len(heard), fitting)]
        return [outcome for piece in pieces for outcome in perform(piece, models, config, spent)]
    try:
        return outcomes(heard, models, config.count, config.seed, spent)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        told = " ".join(str(error).split())[:200]
    _free()
    if len(heard) == 1:
        return [failure(heard[0].job.clip.id, "caption", "out_of_memory", f"one clip alone is too large ({told})")]
    if config.batch != "auto":
        hint = "Use --batch auto, or a smaller number."
        raise AudioJourneyError(f"{len(heard)} clips at once do not fit into the memory ({told}).", hint)
    _fitting[config.device] = (len(heard) + 1) // 2
    return perform(heard, models, config, spent)


def _free() -> None:
    """Give back what the failed batch has left on the GPU."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
