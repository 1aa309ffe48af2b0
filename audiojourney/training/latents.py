"""Latents of a data set, encoded once and read from a memory-mapped file ever after.

C channels, L latent frames, T samples.
"""

from __future__ import annotations

import hashlib
import json
import zlib
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
STEPS = 63  # on each side of the middle of the range of a channel
FORMAT = 2  # raised whenever latents of the same clips would change
INDEX = "index.json"
Precision = Literal["7bit", "fp16"]


@dataclass(frozen=True)
class LatentCache:
    """Latents of the clips of a bank, in the same order.

    Attributes:
        folder: where they lie.
        shards: memory-mapped tensors of each file.
        wave_bytes: bytes of the waveforms, at 16 bits a sample.
        latent_bytes: bytes of the files.
        precision: how the numbers are kept.
    """

    folder: Path
    shards: Sequence[dict[str, np.ndarray]]
    wave_bytes: int
    latent_bytes: int
    precision: Precision

    def __len__(self) -> int:
        return sum(len(shard["starts"]) - 1 for shard in self.shards)

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the latent of clip `index`, float32, shape (C, L)."""
        shard, row = self.shards[index // SHARD], index % SHARD
        start, end = shard["starts"][row : row + 2]
        scale, middle = (shard[name][row].astype(np.float32) for name in ("scale", "middle"))
        packed = zlib.decompress(shard["bytes"][start:end].data)
        values = np.frombuffer(packed, np.int8 if self.precision == "7bit" else np.float16)
        return np.ascontiguousarray((values.reshape(-1, len(scale)) * scale + middle).T)

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
    precision: Precision = "7bit",
    folder: Path | None = None,
    on_shard: Callable[[int, int], None] | None = None,
) -> LatentCache:
    """Encode every clip of `bank` once; a second call, or one after a kill, goes on where the first stopped.

    Args:
        bank: the clips, at the rate of `mel`.
        autoencoder: a network with the `encode` of `audiojourney.models.base.Autoencoder`.
        mel: front-end of the autoencoder.
        multiple: mel frames in a latent frame; clips are padded with silence to a whole number.
        precision: "7bit" steps of the range of each channel of each clip, about 1 % of a standard deviation, which
            is less than the least noise of any schedule; or "fp16" at more than twice the size.
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
    cache = LatentCache(place, [map_tensors(name) for name in names], 2 * int(bank.starts[-1]), _size(names), precision)
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


def _key(bank: WaveBank, autoencoder: nn.Module, mel: MelConfig, multiple: int, precision: Precision) -> str:
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


def _pack(latents: Sequence[np.ndarray], precision: Precision) -> dict[str, np.ndarray]:
    """Return the tensors of one file: compressed latents (L, C) and, for each, first byte, middle and scale."""
    ranges = [_range(latent, precision) for latent in latents]
    blobs = [_compressed(latent, *range, precision) for latent, range in zip(latents, ranges, strict=True)]
    return {
        "bytes": np.frombuffer(b"".join(blobs), np.uint8),
        "starts": np.cumsum([0, *(len(blob) for blob in blobs)], dtype=np.int64),
        "middle": np.stack([middle for middle, _ in ranges]),
        "scale": np.stack([scale for _, scale in ranges]),
    }


def _range(latent: np.ndarray, precision: Precision) -> tuple[np.ndarray, np.ndarray]:
    """Return middle and scale of each channel of a latent (L, C), float16 of shape (C,)."""
    if precision == "fp16":
        return np.zeros(latent.shape[1], np.float16), np.ones(latent.shape[1], np.float16)
    low, high = latent.min(0), latent.max(0)
    # Rounding to float16 may narrow the range by 0.1 %, and a flat channel has none.
    scale = np.maximum((high - low) / (2 * STEPS) * 1.001, 1e-6)
    return ((low + high) / 2).astype(np.float16), scale.astype(np.float16)


def _compressed(latent: np.ndarray, middle: np.ndarray, scale: np.ndarray, precision: Precision) -> bytes:
    """Return a latent (L, C) as compressed bytes; Huffman codes spare a seventh, silence nearly everything."""
    if precision == "fp16":
        return zlib.compress(latent.astype(np.float16).tobytes())
    steps = ((latent - middle.astype(np.float32)) / scale.astype(np.float32)).round()
    return zlib.compress(steps.clip(-127, 127).astype(np.int8).tobytes())


def _size(names: Sequence[Path]) -> int:
    return sum(name.stat().st_size for name in names)
