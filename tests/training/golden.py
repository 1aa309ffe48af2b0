"""Losses of the first 20 steps of every tiny model: `make golden` writes them anew, a test compares with them.

They move when a loss, a network, an initialisation, the data path or the loop changes, and at no other time.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

PATH = Path(__file__).resolve().parents[1] / "golden" / "pretrain_tiny_cpu.json"
PRESETS = ("tiny/genau-vae", "tiny/genau-vocoder", "tiny/genau")
STEPS = 20


def losses(place: Path) -> dict[str, list[float]]:
    """Train every tiny model below `place` and return its losses, step by step."""
    from audiojourney.recipes.train import run
    from audiojourney.recipes.train_config import resolve
    from audiojourney.training.progress import read_log
    from tests.recipes.tones import write_tones

    clips = write_tones(place / "clips")
    found = {}
    for preset in PRESETS:
        settings = [f"loop.steps={STEPS}", "loop.log_every=1", "loop.device=cpu", "loop.threads=1"]
        settings += [f"model.vae={place / 'tiny-genau-vae'}", "sample_steps=1"] if preset == "tiny/genau" else []
        output = place / preset.replace("/", "-")
        run(resolve("pretrain", preset=preset, flags={"data": [clips], "output": output}, settings=settings))
        lines = [line for line in read_log(output / "log.jsonl") if line["kind"] == "train"]
        found[preset] = [line["loss"] for line in lines]
    return found


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AJ_HOME"] = folder + "/home"
        found = losses(Path(folder))
    rounded = {preset: [float(f"{loss:.7g}") for loss in values] for preset, values in found.items()}
    PATH.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
