"""`aj finetune`: go on from a trained model with other data."""

from __future__ import annotations

from typing import Annotated

import typer

from audiojourney.cli import _options
from audiojourney.cli import _training as shared
from audiojourney.errors import UsageError

EXAMPLES = (
    "aj finetune --init pocket/generator --data my-sounds/ -o runs/mine",
    "aj finetune --init runs/first --data my-sounds/ -o runs/mine --lora-rank 16 --steps 500",
)

Init = Annotated[str | None, typer.Option("--init", "-m", metavar="MODEL", help="Model or run to start from.")]
Rank = Annotated[
    int | None, typer.Option("--lora-rank", metavar="N", help="Train a change of rank N only. [default: all weights]")
]


def finetune(
    ctx: typer.Context,
    init: Init = None,
    preset: shared.Preset = None,
    data: shared.Data = None,
    output: shared.Output = None,
    lora_rank: Rank = None,
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
) -> None:
    """Go on from a trained model with other data, at a tenth of its learning rate unless --lr says otherwise.

    Settings are those that the model was trained with. The same command again continues a run that was stopped.
    """
    if init is None:
        raise UsageError(
            f"--init is {init}: nothing says what to start from.",
            "Give --init MODEL, such as pocket/generator or a run.",
        )
    from audiojourney.recipes.adapt import recipe_of

    chosen = shared.choose("finetune", ctx.params, recipe_of(init))
    shared.work(chosen, json=json, print_config=print_config)
