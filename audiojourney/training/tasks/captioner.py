"""Trains the pocket captioner: which sounds are in a clip, and how they stand to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool1d, binary_cross_entropy_with_logits, cross_entropy

from audiojourney.data import mel_mixing
from audiojourney.data.mel import GENAU
from audiojourney.data.scenes.captions import Slots
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.model_folder import write_model
from audiojourney.models.pocket.captioner import Answers, PocketCaptioner, PocketCaptionerConfig
from audiojourney.models.pocket.text import RELATIONS
from audiojourney.models.pocket.trunk import TrunkConfig
from audiojourney.training.base import Batch
from audiojourney.training.tasks.clap import match, shares
from audiojourney.training.tasks.hearing import Example, Hearing, HearingConfig
from audiojourney.training.tasks.plain import PlainTask

NONE = len(CONCEPTS)
VALIDATION_PAIRS = 200
VALIDATION_FRAMES = 800


@dataclass(frozen=True, kw_only=True)
class PocketCaptionerTaskConfig:
    """Data and loss.

    Attributes:
        hearing: the sounds.
        trunk: sizes of the trunk.
        bands: whether the transformer also hears the frequency bands apart.
        crop_s: shortest and longest example in seconds; every batch has one length.
        nothing: share of examples of steady noise alone.
        naming: weight of the whole clip's classifier.
        frames: weight of the classifier of frames.
        smoothing: label smoothing.
    """

    hearing: HearingConfig = field(default_factory=lambda: HearingConfig(pairs=0.55, alike=0.5))
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    bands: bool = False
    crop_s: tuple[float, float] = (3.0, 10.3)
    nothing: float = 0.03
    naming: float = 1.0
    frames: float = 1.0
    smoothing: float = 0.05


class PocketCaptionerTask(PlainTask):
    """See `PocketCaptionerTaskConfig`."""

    def __init__(self, config: PocketCaptionerTaskConfig, hearing: Hearing) -> None:
        self.config, self.hearing = config, hearing
        self.module: PocketCaptioner = PocketCaptioner(
            PocketCaptionerConfig(concepts=CONCEPTS, trunk=config.trunk, bands=config.bands)
        )

    @classmethod
    def build(cls, config: PocketCaptionerTaskConfig, data: Sequence[Path]) -> PocketCaptionerTask:
        """Open the data folders; only clips with one label are used."""
        return cls(config, Hearing.open(config.hearing, data))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw log-mel (B, F, M), slots (B, 2), relation (B,), concepts (B, K), concepts of frames (B, L, K)."""
        stride = self.config.trunk.stride
        frames = int(rng.uniform(*self.config.crop_s) * GENAU.rate_hz / GENAU.hop_length) // stride * stride
        examples = [self._example(rng, frames) for _ in range(size)]
        return {
            "mel": torch.from_numpy(np.stack([mel for mel, _ in examples])),
            "named": torch.stack([torch.zeros(NONE) if e is None else shares(e.slots) for _, e in examples]),
            "frames": torch.stack([_sounding(e, frames // stride) for _, e in examples]),
            **targets([None if e is None else e.slots for _, e in examples]),
        }

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Cross-entropies of slots, relation and whole clip, and of the concepts in every frame."""
        answers: Answers = self.module(batch["mel"])
        named = slot_loss(answers.slots, batch["slots"], batch["relation"], self.config.smoothing)
        related = cross_entropy(answers.relation, batch["relation"], label_smoothing=self.config.smoothing)
        whole = cross_entropy(answers.named, batch["named"], label_smoothing=self.config.smoothing)
        frames = _frame_loss(answers.frames, batch["frames"])
        loss = named + 0.5 * related + self.config.naming * whole + self.config.frames * frames
        right = (answers.relation.argmax(dim=1) == batch["relation"]).float().mean()
        return loss, {"slots": float(named.detach()), "whole": float(whole.detach()), "relation_right": float(right)}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Measure on held-out clips: single sounds named right; of pairs, both named, and all of the meaning right."""
        self.module.eval()
        found: dict[str, list[bool]] = {}
        held = self.hearing.held_out
        for i in held[:: max(1, len(held) // 600)]:
            said, _ = self.module.understand(torch.from_numpy(self.hearing.mels[i])[None])
            kind = "recorded" if self.hearing.is_recorded(i) else "synthesised"
            found.setdefault(f"{kind}_named", []).append(said is not None and said.first == self.hearing.concept(i))
            found.setdefault(f"{kind}_single", []).append(said is not None and said.second is None)
        for kind, clips in self._pools().items():
            rng = np.random.default_rng(2)
            for _ in range(VALIDATION_PAIRS if clips else 0):
                pair = self.hearing.pair(rng, VALIDATION_FRAMES, self.hearing.pools_of(clips))
                said, _ = self.module.understand(torch.from_numpy(pair.mel)[None])
                both = said is not None and {said.first, said.second} == {pair.slots.first, pair.slots.second}
                found.setdefault(f"{kind}_both", []).append(both)
                if both:
                    found.setdefault(f"{kind}_order", []).append(match(pair.slots, said) == 1)
        return {name: float(np.mean(values)) for name, values in found.items()}

    def export(self, folder: Path) -> None:
        """Write the model folder."""
        write_model(folder, {"kind": "pocket-captioner", "model": self.module.config}, self.module.state_dict())

    def _example(self, rng: np.random.Generator, frames: int) -> tuple[np.ndarray, Example | None]:
        if rng.random() < self.config.nothing:
            return mel_mixing.noise(frames, GENAU.n_mels, rng), None
        example = self.hearing.draw(rng, frames)
        return example.mel, example

    def _pools(self) -> dict[str, list[int]]:
        """Held-out clips to make pairs of: recordings alone, and all."""
        held = self.hearing.held_out
        return {"recorded": [i for i in held if self.hearing.is_recorded(i)], "any": held}


def targets(meanings: Sequence[Slots | None]) -> dict[str, Tensor]:
    """Numbers of both slots (B, 2) and of the relation (B,); None stands for a clip with nothing known in it."""
    slots, relations = [], []
    for meaning in meanings:
        names = (None, None) if meaning is None else (meaning.first, meaning.second)
        slots.append([NONE if name is None else CONCEPTS.index(name) for name in names])
        relations.append(RELATIONS.index("single" if meaning is None else meaning.relation))
    return {"slots": torch.tensor(slots), "relation": torch.tensor(relations)}


def slot_loss(logits: Tensor, slots: Tensor, relation: Tensor, smoothing: float) -> Tensor:
    """Mean cross-entropy of slot logits (B, 2, K + 1); sounds together may be named in either order."""

    def total(wanted: Tensor) -> Tensor:
        """Both slots' cross-entropy of each example, (B,)."""
        each = cross_entropy(logits.flatten(0, 1), wanted.flatten(), label_smoothing=smoothing, reduction="none")
        return each.view(-1, 2).sum(dim=1)

    straight, crossed = total(slots), total(slots.flip(1))
    free = relation == RELATIONS.index("together")
    return torch.where(free, torch.minimum(straight, crossed), straight).mean()


def _sounding(example: Example | None, length: int) -> Tensor:
    """Which concepts sound in each of `length` feature frames, (L, K) of 0 and 1."""
    target = torch.zeros(length, NONE)
    if example is not None:
        names = (example.slots.first, example.slots.second)
        for name, heard in zip(names, example.sounding, strict=False):
            curve = torch.from_numpy(heard.astype(np.float32))
            target[:, CONCEPTS.index(str(name))] = adaptive_max_pool1d(curve[None], length)[0]
    return target


def _frame_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy over concepts, summed, and averaged over the frames of (B, L, K)."""
    return binary_cross_entropy_with_logits(logits, target, reduction="none").sum(dim=-1).mean()
