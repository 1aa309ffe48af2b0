"""Settings of `aj pretrain` and `aj finetune`, from preset, file, flags and `--set`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from audiojourney import config as configuration
from audiojourney.errors import UsageError
from audiojourney.registry import offer
from audiojourney.training.settings import LoopConfig
from audiojourney.training.tasks import settings_class


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What is trained, on what, how, and where it goes.

    In files and with `--set` the settings of the task stand beside these, not in a table of their own.

    Attributes:
        task: name in `audiojourney.training.tasks.TASKS`.
        settings: settings of that task, by name.
        loop: settings of the training loop.
        data: data folders and manifests.
        output: run folder.
        init: model or run to start from; None starts from random weights.
        lora_rank: rank of the change that is trained instead of all weights; None trains all.
        nproc: processes on this machine.
        exists: what to do with a run folder of other settings.
        licence: licence of the weights, for the model folder.
        preset: name of the preset that the settings began with.
        dry_run: measure only.
    """

    task: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    loop: LoopConfig = field(default_factory=LoopConfig)
    data: tuple[Path, ...] = ()
    output: Path
    init: str | None = None
    lora_rank: int | None = None
    nproc: int = 1
    exists: Literal["error", "overwrite"] = "error"
    licence: str = ""
    preset: str | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        if self.nproc < 1:
            raise UsageError(f"--nproc is {self.nproc}.", "Give 1 or more.")
        if self.lora_rank is not None and (self.lora_rank < 1 or self.init is None):
            raise UsageError(f"--lora-rank is {self.lora_rank}.", "Give 1 or more, together with --init.")

    def task_settings(self) -> Any:
        """Return the settings of the task as its dataclass.

        Raises:
            UsageError: a key or a value does not fit; the nearest key is offered.
        """
        return configuration.build(settings_class(self.task), self.settings)

    def table(self) -> dict[str, Any]:
        """Return everything that decides the weights as one plain table, every default included."""
        own = {"task": self.task, **configuration.to_table(self.task_settings())}
        loop = configuration.to_table(self.loop)
        rest = {"data": [str(path.resolve()) for path in self.data], "init": self.init, "lora_rank": self.lora_rank}
        return {**own, "loop": loop, **rest, "nproc": self.nproc}


OWN = frozenset(item.name for item in fields(TrainConfig)) - {"settings", "preset", "dry_run"}


def resolve(
    verb: str,
    *,
    preset: str | None = None,
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    loop_flags: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
    base: Mapping[str, Any] | None = None,
) -> TrainConfig:
    """Build the configuration; what comes later in this list wins.

    Args:
        verb: "pretrain" or "finetune", the table of a configuration file that is read.
        base: settings to begin with, such as those of the model to start from.
        preset: name of a preset.
        file: configuration file.
        loop_flags: settings of the loop that were given as options; None was not given.
        flags: other settings that were given as options; None was not given.
        settings: `key=value` of `--set`.

    Raises:
        UsageError: a setting is unknown or does not fit.
    """
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    loop = {key: value for key, value in (loop_flags or {}).items() if value is not None}
    merged = configuration.merge(
        base or {},
        configuration.load_preset(preset) if preset else {},
        configuration.load_settings(file, verb),
        {"loop": configuration.environment(LoopConfig)},
        {"loop": loop},
        given,
        configuration.parse_settings(settings),
    )
    if "task" not in merged:
        raise UsageError(f"Nothing says what to {verb}.", f"Give --preset, one of: {', '.join(presets())}.")
    dry_run = merged.pop("dry_run", False)
    _check_keys(merged)
    own = {key: value for key, value in merged.items() if key in OWN}
    rest = {key: value for key, value in merged.items() if key not in OWN}
    built = configuration.build(TrainConfig, {**own, "settings": rest, "preset": preset, "dry_run": dry_run})
    built.task_settings()
    return built


def presets() -> list[str]:
    """Return the names of the presets that something can be trained with."""
    return [name for name in configuration.preset_names() if "task" in configuration.load_preset(name)]


def _check_keys(table: Mapping[str, Any]) -> None:
    """Refuse a key that belongs neither to the run nor to its task, and offer the nearest of both."""
    known = OWN | {item.name for item in fields(settings_class(str(table["task"])))}
    for key in table:
        if key not in known:
            raise UsageError(f"There is no setting {key!r} in {table['task']!r}.", offer(key, known))
