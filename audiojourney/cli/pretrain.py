"""`aj pretrain`: train a model from scratch."""

from __future__ import annotations

import typer

from audiojourney.cli import _options, _ui
from audiojourney.cli import _training as shared

EXAMPLES = (
    "aj pretrain --preset pocket/generator --data scenes/ -o runs/first",
    "aj pretrain --preset genau/s --data clips/ -o runs/s --nproc 8 --dtype bf16",
    "aj pretrain --preset tiny/genau-vae --data clips/ -o runs/try --set loop.ema=0.99 --dry-run",
)


def pretrain(
    ctx: typer.Context,
    preset: shared.Preset = None,
    data: shared.Data = None,
    output: shared.Output = None,
    steps: shared.Steps = None,
    batch: shared.Batch = None,
    accumulate: shared.Accumulate = None,
    lr: shared.Rate = None,
    seed: shared.Seed = None,
    nproc: shared.Processes = None,
    exists: shared.Exists = None,
    device: _options.Device = None,
    dtype: _options.Dtype = None,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    dry_run: _options.DryRun = None,
    print_config: _options.PrintConfig = False,
    list_presets: shared.ListPresets = False,
) -> None:
    """Train a model from scratch; the same command again continues a run that was stopped.

    The run folder holds config.yaml, log.jsonl, checkpoints, samples and, at the end, the model in final/.
    """
    if list_presets:
        from audiojourney.recipes.train_config import presets

        for name in presets():
            _ui.out(name)
        return
    shared.work(shared.choose("pretrain", ctx.params), json=json, print_config=print_config)
