"""Latents of a data set, encoded once and read from a memory-mapped file ever after.

C channels, L latent frames, T samples.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor, nn

from audiojourney import files, hub
from audiojourney.data.bank import WaveBank
from audiojourney.data.mapped import map_tensors
from audiojourney.data.mel import GENAU, MelConfig, log_mel
from audiojourney.models.base import Autoencoder
from audiojourney.models.device import find_device

SHARD = 256  # clips in a file
FORMAT = 1  # raised whenever latents of the same clips would change
INDEX = "index.json"
Precision = Literal["int8", "fp16"]


@dataclass(frozen=True)
class LatentCache:
    """Latents of the clips of a bank, in the same order.

    Attributes:
        folder: where they lie.
        shards: memory-mapped tensors of each file.
        wave_bytes: bytes of the waveforms, at 16 bits a sample.
        latent_bytes: bytes of the files.
    """

    folder: Path
    shards: Sequence[dict[str, np.ndarray]]
    wave_bytes: int
    latent_bytes: int

    def __len__(self) -> int:
        return sum(len(shard["starts"]) - 1 for shard in self.shards)

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the latent of clip `index`, float32, shape (C, L)."""
        shard, row = self.shards[index // SHARD], index % SHARD
        start, end = shard["starts"][row : row + 2]
        values = shard["values"][start:end].astype(np.float32)
        return np.ascontiguousarray((values * shard["scale"][row] + shard["middle"][row]).T)

    @property
    def saving(self) -> float:
        """Share of the bytes of the waveforms that the latents do without."""
        return 1 - self.latent_bytes / self.wave_bytes


def open_latents(
    bank: WaveBank,
    autoencoder: nn.Module,
    *,
    mel: MelConfig = GENAU,
    multiple: int = 4,
    precision: Precision = "int8",
    folder: Path | None = None,
    on_shard: Callable[[int, int], None] | None = None,
) -> LatentCache:
    """Encode every clip of `bank` once; a second call, or one after a kill, goes on where the first stopped.

    Args:
        bank: the clips, at the rate of `mel`.
        autoencoder: a network with the `encode` of `audiojourney.models.base.Autoencoder`.
        mel: front-end of the autoencoder.
        multiple: mel frames in a latent frame; clips are padded with silence to a whole number.
        precision: "int8" with a range for each channel of each clip, or "fp16" at twice the size.
        folder: where caches lie; None is the cache folder of the package.
        on_shard: told how many files of how many are there.
    """
    place = (folder or hub.cache("latents")) / _key(bank, autoencoder, mel, multiple, precision)
    names = [place / f"latents-{number:05d}.safetensors" for number in range(-(-len(bank) // SHARD))]
    missing = [number for number, name in enumerate(names) if not name.exists()]
    with _Lent(autoencoder):
        for number in missing:
            clips = range(number * SHARD, min(len(bank), (number + 1) * SHARD))
            latents = [_encode(bank.wave(clip), autoencoder, mel, multiple) for clip in clips]
            files.write_bytes(names[number], save(_pack(latents, precision)))
            if on_shard is not None:
                on_shard(sum(name.exists() for name in names), len(names))
    cache = LatentCache(place, [map_tensors(name) for name in names], 2 * int(bank.starts[-1]), _size(names))
    if missing or not (place / INDEX).exists():
        facts = {"clips": len(cache), "wave_bytes": cache.wave_bytes, "latent_bytes": cache.latent_bytes}
        files.write_json(place / INDEX, {**facts, "saving": cache.saving, "precision": precision})
    return cache


def weights_hash(module: nn.Module) -> str:
    """Return a hash of the class and all tensors of a network."""
    digest = hashlib.sha256(type(module).__name__.encode())
    for name, tensor in sorted(module.state_dict().items()):
        plain = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(plain.numpy().tobytes())
    return digest.hexdigest()


def bank_hash(bank: WaveBank) -> str:
    """Return a hash of the lengths of all clips and of three short windows of each."""
    digest = hashlib.sha256(f"{bank.rate_hz}".encode())
    digest.update(np.asarray(bank.starts, np.int64).tobytes())
    for start, end in zip(bank.starts[:-1], bank.starts[1:], strict=True):
        for share in (0.0, 0.5, 0.9):
            first = int(start + share * (end - start))
            digest.update(np.asarray(bank.samples[first : min(first + 256, int(end))]).tobytes())
    return digest.hexdigest()


def normalised(wave: Tensor) -> Tensor:
    """Return waveforms (B, T) without their mean and with a peak of 0.5, as GenAu's front-end has them."""
    centred = wave - wave.mean(dim=-1, keepdim=True)
    return 0.5 * centred / (centred.abs().amax(dim=-1, keepdim=True) + 1e-8)


def _key(bank: WaveBank, autoencoder: nn.Module, mel: MelConfig, multiple: int, precision: str) -> str:
    """Return the name of the folder: everything that the latents depend on, hashed."""
    facts = json.dumps([FORMAT, SHARD, asdict(mel), multiple, precision])
    words = f"{facts} {bank_hash(bank)} {weights_hash(autoencoder)}"
    return hashlib.sha256(words.encode()).hexdigest()[:24]


def _encode(wave: np.ndarray, autoencoder: nn.Module, mel: MelConfig, multiple: int) -> np.ndarray:
    """Return the latent (L, C) of one waveform (T,)."""
    step = mel.hop_length * multiple
    padded = np.pad(wave, (0, -len(wave) % step if len(wave) else step))
    device = next(autoencoder.parameters()).device
    spectrum = log_mel(normalised(torch.from_numpy(padded)[None].to(device)), mel)
    return np.ascontiguousarray(cast(Autoencoder, autoencoder).encode(spectrum)[0].float().T.cpu().numpy())


class _Lent:
    """Moves a network to the fastest device, in evaluation mode without gradients, and puts it back."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.grad = torch.no_grad()

    def __enter__(self) -> None:
        self.device, self.training = next(self.module.parameters()).device, self.module.training
        self.module.to(find_device()).eval()
        self.grad.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.grad.__exit__(*error)
        self.module.to(self.device).train(self.training)


def _pack(latents: Sequence[np.ndarray], precision: str) -> dict[str, np.ndarray]:
    """Return the tensors of one file: values (sum of L, C) and, for each clip, first row, middle and scale."""
    middle: np.ndarray
    scale: np.ndarray
    starts = np.cumsum([0, *(len(latent) for latent in latents)], dtype=np.int64)
    low = np.stack([latent.min(0) for latent in latents]).astype(np.float32)
    high = np.stack([latent.max(0) for latent in latents]).astype(np.float32)
    if precision == "fp16":
        middle, scale = np.zeros(low.shape, np.float32), np.ones(low.shape, np.float32)
        values: np.ndarray = np.concatenate(latents).astype(np.float16)
    else:
        middle, scale = (low + high) / 2, np.maximum(high - low, np.float32(1e-10)) / np.float32(254)
        scaled = [(latent - middle[row]) / scale[row] for row, latent in enumerate(latents)]
        values = np.concatenate(scaled).round().astype(np.int8)
    return {"values": values, "starts": starts, "middle": middle, "scale": scale}


def _size(names: Sequence[Path]) -> int:
    return sum(name.stat().st_size for name in names)
