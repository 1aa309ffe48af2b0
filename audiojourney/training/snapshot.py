"""What of a run goes into a checkpoint, and how it comes back."""

from __future__ import annotations

from pathlib import Path

from audiojourney import __version__
from audiojourney.errors import UsageError
from audiojourney.training import checkpoint
from audiojourney.training.ema import Ema
from audiojourney.training.optim import optimizer_tensors, restore_optimizer
from audiojourney.training.progress import Window
from audiojourney.training.settings import LoopConfig
from audiojourney.training.update import Part, Update

FOLDER = "checkpoints"


def save(
    run: Path, step: int, config: LoopConfig, update: Update, ema: Ema | None, window: Window, world_size: int
) -> Path:
    """Write everything that decides how the run goes on after `step` updates."""
    tensors = _part_tensors("", update.model)
    if update.adversary is not None:
        tensors |= _part_tensors("adversary", update.adversary)
    if ema is not None:
        tensors["ema"] = ema.average
    state = {
        "version": __version__,
        "world_size": world_size,
        "loop": config.identity(),
        "ema_updates": ema.updates if ema is not None else 0,
        "window": {"sums": window.sums, "counts": window.counts},
    }
    return checkpoint.write_checkpoint(run / FOLDER, step, tensors, state, config.keep_last)


def load(run: Path, config: LoopConfig, update: Update, ema: Ema | None, world_size: int) -> tuple[int, Window]:
    """Restore the newest checkpoint of `run`; return its step, 0 where there is none.

    Raises:
        UsageError: it was made with other settings, another number of processes or another model.
    """
    path = newest(run)
    if path is None:
        return 0, Window()
    found = checkpoint.read_checkpoint(path)
    earlier = {**found.state["loop"], "nproc": found.state["world_size"]}
    _compare(path, earlier, {**config.identity(), "nproc": world_size})
    if found.step > config.steps:
        raise UsageError(f"{path} is later than loop.steps={config.steps}.", "Give more steps or another run folder.")
    try:
        _restore(update, ema, found)
    except (RuntimeError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{path} does not fit this model ({reason}).", "Use another run folder.") from error
    window = found.state["window"]
    return found.step, Window(window["sums"], window["counts"])


def newest(run: Path) -> Path | None:
    """Return the newest complete checkpoint of a run folder, or None."""
    return checkpoint.newest_checkpoint(run / FOLDER)


def clean(run: Path) -> None:
    """Remove what a killed process left behind."""
    checkpoint.remove_leftovers(run / FOLDER)


def _part_tensors(name: str, part: Part) -> dict[str, dict]:
    """Return the weights and the optimiser state of one network under their file names."""
    model, optimizer = (name, f"{name}_optimizer") if name else ("model", "optimizer")
    return {
        model: checkpoint.module_tensors(part.module),
        optimizer: optimizer_tensors(part.optimizer, part.module),
    }


def _restore(update: Update, ema: Ema | None, found: checkpoint.Checkpoint) -> None:
    """Put weights, optimiser state and averages back."""
    parts = [("model", "optimizer", update.model)]
    if update.adversary is not None:
        parts.append(("adversary", "adversary_optimizer", update.adversary))
    for model, optimizer, part in parts:
        part.module.load_state_dict(found.tensors[model])
        restore_optimizer(part.optimizer, part.module, found.tensors[optimizer])
    if ema is not None:
        ema.restore(found.tensors["ema"], found.state["ema_updates"])


def _compare(path: Path, old: dict, new: dict) -> None:
    """Refuse settings under which the run would not be the same."""
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            raise UsageError(
                f"{path} was trained with {name}={old.get(name)}, now it is {new.get(name)}.",
                "Give the earlier settings again, or another run folder.",
            )
