"""Generates the clips that are measured, once for each model and order.

N clips, T samples, F mel frames, M mel bins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from audiojourney import files, hub, model_folder
from audiojourney.errors import AudioJourneyError, MissingError
from audiojourney.models.base import Sampling, SoundGenerator
from audiojourney.recipes.pocket_eval.prompts import Order
from audiojourney.recipes.pocket_eval.sounds import Heard, hear

VERSION = 2  # raised whenever the same model and order would give other clips
TELL_EVERY = 5  # batches
Say = Callable[[str], None]


def make(generator: SoundGenerator, key: str, order: Order, batch: int, say: Say = lambda text: None) -> Heard:
    """Return what a listener hears of the clips of an order, from the cache where it has them.

    Args:
        generator: the model.
        key: name of its weights.
        order: what to make.
        batch: clips at a time.
        say: is told how far it is.

    Raises:
        AudioJourneyError: a sound is not finite.
    """
    path = hub.cache("pocket-eval") / f"{_name(key, order, batch)}.safetensors"
    if not path.is_file():
        mels = torch.stack([mel.half() for mel in _generate(generator, order, batch, say)])
        files.write_bytes(path, save({"mels": mels}))
    return Heard(order.concepts, tuple(load_file(path)["mels"].float()))


def _generate(generator: SoundGenerator, order: Order, batch: int, say: Say) -> Iterator[Tensor]:
    """Yield the log-mel (F, M) of each clip."""
    sampling = Sampling(duration_s=order.duration_s)
    for start in range(0, len(order.prompts), batch):
        part = slice(start, start + batch)
        waves = generator.generate(order.prompts[part], order.seeds[part], sampling)
        bad = int((~torch.isfinite(waves)).any(dim=1).sum())
        if bad:
            raise AudioJourneyError(f"{bad} of {len(waves)} sounds of {generator.name} are not finite.")
        yield from (hear(wave) for wave in waves.numpy())
        done = min(start + batch, len(order.prompts))
        if start // batch % TELL_EVERY == 0 or done == len(order.prompts):
            say(f"generated {done} of {len(order.prompts)} clips")


def _name(key: str, order: Order, batch: int) -> str:
    text = json.dumps([VERSION, key, asdict(order), batch])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]


def weights_key(model: str) -> str:
    """Name of the weights of a generator and of every part that its settings name, by shipped name or by folder.

    Raises:
        MissingError: there is no such model.
    """
    folder = hub.resolve_model(model)
    digest = hashlib.sha256(model_folder.fingerprint(folder).encode())
    for part in sorted({path for text in _texts(model_folder.read_config(folder)) for path in _folder(text)}):
        digest.update(model_folder.fingerprint(part).encode())
    return digest.hexdigest()[:24]


def _folder(name: str) -> Iterator[Path]:
    """Yield the folder of a part that is named by its path; shipped ones are in the fingerprint already."""
    if name.startswith(("/", ".", "~")):
        try:
            yield hub.resolve_model(name)
        except MissingError:
            return


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
