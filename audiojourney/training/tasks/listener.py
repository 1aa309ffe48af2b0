"""Trains the pocket listener to name single sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audiojourney.data.bank import WaveBank, open_bank
from audiojourney.data.clip import Clip
from audiojourney.data.features import open_features
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.data.scenes.concepts import concept_of
from audiojourney.errors import UsageError
from audiojourney.model_folder import write_model
from audiojourney.models.pocket.listener import Listener, ListenerConfig
from audiojourney.training.base import Batch
from audiojourney.training.tasks.plain import PlainTask, normalised


@dataclass(frozen=True, kw_only=True)
class ListenerTaskConfig:
    """Data and loss of the listener.

    Attributes:
        widths: channels of the layers.
        train_folds: folds of recordings to train on.
        test_folds: folds of recordings to validate on.
        crop_s: length of an example in seconds.
        smoothing: label smoothing.
        mixup: share of examples that are mixed with another.
        hidden: largest number of mel frames and of mel bins that are blanked.
    """

    widths: tuple[int, ...] = (32, 64, 128, 192)
    train_folds: tuple[int, ...] = (1, 2, 3)
    test_folds: tuple[int, ...] = (4,)
    crop_s: float = 5.0
    smoothing: float = 0.05
    mixup: float = 0.5
    hidden: tuple[int, int] = (80, 10)


class ListenerTask(PlainTask):
    """See `ListenerTaskConfig`. Examples are drawn with equal shares of all classes."""

    def __init__(self, config: ListenerTaskConfig, bank: WaveBank) -> None:
        self.config, self.bank = config, bank
        usable = bank.select(lambda clip: len(clip.labels) == 1)
        folds = {i: bank.clips[i].fold for i in usable}
        train = [i for i in usable if (folds[i] in config.train_folds if folds[i] else i % 10)]
        self.held_out = [i for i in usable if (folds[i] in config.test_folds if folds[i] else not i % 10)]
        self.classes = tuple(sorted({self._class(i) for i in train}))
        self.by_class = [[i for i in train if self._class(i) == name] for name in self.classes]
        if len(self.classes) < 2:
            raise UsageError(f"A listener needs clips of two classes or more, found {len(self.classes)}.")
        self.mels = open_features(bank, lambda wave: log_mel(normalised(wave)).numpy(), "log-mel genau peak 0.5")
        self.module: Listener = Listener(ListenerConfig(classes=self.classes, widths=config.widths))

    @classmethod
    def build(cls, config: ListenerTaskConfig, data: Sequence[Path]) -> ListenerTask:
        """Open the data folders; only clips with one label are used."""
        return cls(config, open_bank(data, GENAU.rate_hz, keep=lambda clip: len(clip.labels) == 1))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw log-mel (B, F, M), rolled, mixed and partly blanked, with soft targets (B, K)."""
        mel, target = self._examples(rng, size)
        partner = torch.from_numpy(rng.permutation(size))
        share = torch.from_numpy(np.where(rng.random(size) < self.config.mixup, rng.beta(2, 2, size), 1.0)).float()
        mel = (share[:, None, None] * mel.exp() + (1 - share[:, None, None]) * mel[partner].exp()).log()
        target = share[:, None] * target + (1 - share[:, None]) * target[partner]
        return {"mel": self._blank(mel, rng), "target": target}

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Cross-entropy with soft targets."""
        logits = self.module(batch["mel"])
        loss = torch.nn.functional.cross_entropy(logits, batch["target"], label_smoothing=self.config.smoothing)
        right = (logits.argmax(1) == batch["target"].argmax(1)).float().mean()
        return loss, {"accuracy": float(right)}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Share of held-out clips named right: recordings and synthesised ones."""
        self.module.eval()
        right: dict[str, list[bool]] = {"recorded": [], "synthesised": []}
        for i in self.held_out[:: max(1, len(self.held_out) // 1000)] if len(self.held_out) > 1000 else self.held_out:
            named = self.classes[int(self.module(torch.from_numpy(self.mels[i])[None])[0].argmax())]
            right["recorded" if self.bank.clips[i].fold else "synthesised"].append(named == self._class(i))
        self.module.train()
        return {name: float(np.mean(values)) for name, values in right.items() if values}

    def export(self, folder: Path) -> None:
        """Write the model folder."""
        write_model(folder, {"kind": "pocket-listener", "model": self.module.config}, self.module.state_dict())

    def _class(self, index: int) -> str:
        clip: Clip = self.bank.clips[index]
        return concept_of(clip.labels[0])

    def _examples(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        kinds = rng.integers(len(self.classes), size=size)
        mel = np.stack([self._crop(int(rng.choice(self.by_class[k])), rng) for k in kinds])
        return torch.from_numpy(mel), torch.nn.functional.one_hot(torch.from_numpy(kinds), len(self.classes)).float()

    def _crop(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """A random part of a clip's log-mel (F, M), turned round; a short clip is followed by silence."""
        frames = int(self.config.crop_s * GENAU.rate_hz / GENAU.hop_length)
        mel = self.mels[index]
        start = int(rng.integers(max(1, len(mel) - frames + 1)))
        piece = mel[start : start + frames]
        piece = np.pad(piece, ((0, frames - len(piece)), (0, 0)), constant_values=GENAU.silence)
        return np.roll(piece, int(rng.integers(frames)), axis=0)

    def _blank(self, mel: Tensor, rng: np.random.Generator) -> Tensor:
        floor = mel.amin(dim=(1, 2))
        for i in range(len(mel)):
            for axis, most in zip((0, 1), self.config.hidden, strict=True):
                length = int(rng.integers(most + 1))
                start = int(rng.integers(mel.shape[1 + axis] - length))
                mel[i].narrow(axis, start, length).fill_(float(floor[i]))
        return mel
