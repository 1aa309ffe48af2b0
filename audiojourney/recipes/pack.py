"""Makes the shipped pocket models from training runs: smaller numbers, parts by their shipped names.

python -m audiojourney.recipes.pack RUN NAME      # audiojourney/pocket/NAME
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from audiojourney import hub
from audiojourney.errors import UsageError
from audiojourney.model_folder import CARD, read_config, read_provenance, read_weights, write_model
from audiojourney.models.pocket.folders import WORDINGS, WORDS
from audiojourney.models.pocket.packing import pack

PARTS = ("text", "autoencoder", "vocoder", "listener")
EIGHT_BITS = ("generator", "clap", "captioner")  # of the others float16 changes nothing that can be heard or measured


def pack_run(run: str, name: str) -> Path:
    """Pack the model of a training run as `pocket/<name>`; returns the folder.

    Raises:
        UsageError: the name is none of the shipped ones.
    """
    if name not in (*PARTS, *EIGHT_BITS):
        raise UsageError(f"There is no pocket model {name!r}.", f"Known: {', '.join((*PARTS, *EIGHT_BITS))}.")
    source, target = hub.resolve_model(run), hub.POCKET / name
    target.mkdir(parents=True, exist_ok=True)
    card = source / CARD
    write_model(
        target,
        with_shipped_parts(read_config(source)),
        pack(read_weights(source), matrices=name in EIGHT_BITS),
        without_places(read_provenance(source)),
        card.read_text(encoding="utf-8") if card.is_file() else None,
    )
    for extra in (WORDS, WORDINGS):
        if (source / extra).is_file():
            shutil.copyfile(source / extra, target / extra)
    return target


def with_shipped_parts(config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a generator with its parts named as they are shipped; others are returned as they are."""
    model = config.get("model", {})
    renamed = {part: f"pocket/{part}" for part in PARTS if part in model}
    return {**config, "model": {**model, **renamed}} if renamed else config


def without_places(provenance: dict[str, Any]) -> dict[str, Any]:
    """Return provenance that names no folder of the machine that trained the model."""
    recipe = with_shipped_parts(dict(provenance.get("recipe", {})))
    if recipe.get("init"):
        recipe["init"] = Path(recipe["init"]).name
    return {**provenance, "recipe": recipe}


if __name__ == "__main__":
    pack_run(sys.argv[1], sys.argv[2])
