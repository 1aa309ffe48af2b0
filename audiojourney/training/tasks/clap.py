"""Trains the pocket audio-text model: which sentences belong to a sound, among sentences of the grammar of scenes.

A batch holds as many sentences as wanted, each judged against every sound of the batch. How well a pair belongs
together is known, not guessed: the share of sounds that both have in common, less where the relation differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from audiojourney.data.mel import GENAU
from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.captions import Slots, sample_description
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.model_folder import write_model
from audiojourney.models.pocket.clap import PocketClap, PocketClapConfig, describe_sentences, sentence_width
from audiojourney.models.pocket.folders import load_text
from audiojourney.models.pocket.trunk import TrunkConfig
from audiojourney.training.base import Batch
from audiojourney.training.tasks.hearing import Example, Hearing, HearingConfig
from audiojourney.training.tasks.plain import PlainTask

REVERSED = 0.6  # what is left of a match when two sounds are told in the wrong order, or back to front
OTHER_RELATION = 0.8  # when their relation is another one
LONGEST_SENTENCE = 64


@dataclass(frozen=True, kw_only=True)
class PocketClapTaskConfig:
    """Data and loss.

    Attributes:
        hearing: the sounds.
        trunk: sizes of the trunk.
        text: the text encoder, by name or folder.
        crop_s: shortest and longest example in seconds; every batch has one length.
        sentences: sentences of a batch for each sound, one its own.
        strangers: share of sentences about something that is no sound of the grammar.
        noise: standard deviation of the noise on word vectors, whose numbers are about 1.
        positive: weight of a perfect match against that of a mismatch.
        naming: weight of the classifier's loss.
        smoothing: its label smoothing.
    """

    hearing: HearingConfig = field(default_factory=HearingConfig)
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    text: str = "pocket/text"
    crop_s: tuple[float, float] = (3.5, 7.0)
    sentences: int = 3
    strangers: float = 0.08
    noise: float = 0.25
    positive: float = 8.0
    naming: float = 1.0
    smoothing: float = 0.05


class PocketClapTask(PlainTask):
    """See `PocketClapTaskConfig`."""

    def __init__(self, config: PocketClapTaskConfig, hearing: Hearing) -> None:
        self.config, self.hearing = config, hearing
        self.text = load_text(config.text)
        self.strangers = lexicon.strangers()
        self.module: PocketClap = PocketClap(
            PocketClapConfig(
                text=config.text, concepts=CONCEPTS, trunk=config.trunk, sentence=sentence_width(self.text)
            )
        )

    @classmethod
    def build(cls, config: PocketClapTaskConfig, data: Sequence[Path]) -> PocketClapTask:
        """Open the data folders; only clips with one label are used."""
        return cls(config, Hearing.open(config.hearing, data))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw sounds (A, F, M), described sentences (B, P), matches (A, B) in [0, 1], concept shares (A, K)."""
        frames = int(rng.uniform(*self.config.crop_s) * GENAU.rate_hz / GENAU.hop_length) // 32 * 32
        examples = [self.hearing.draw(rng, frames) for _ in range(size)]
        sentences, meanings = self._sentences(examples, rng)
        noise = self.config.noise * rng.standard_normal((len(sentences), LONGEST_SENTENCE, self.text.table.width))
        return {
            "mel": torch.from_numpy(np.stack([example.mel for example in examples])),
            "sentences": describe_sentences(self.text, sentences, torch.from_numpy(noise.astype(np.float32))),
            "match": torch.tensor([[match(example.slots, meaning) for meaning in meanings] for example in examples]),
            "named": torch.stack([shares(example.slots) for example in examples]),
        }

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Sigmoid loss of all pairs with soft targets, and cross-entropy of the classifier."""
        logits, named = self.module(batch["mel"], batch["sentences"])
        weight = 1 + (self.config.positive - 1) * batch["match"]
        pairs = binary_cross_entropy_with_logits(logits, batch["match"], weight)
        naming = cross_entropy(named, batch["named"], label_smoothing=self.config.smoothing)
        right = batch["named"].gather(1, named.argmax(dim=1, keepdim=True)).gt(0).float().mean()
        loss = pairs + self.config.naming * naming
        return loss, {"pairs": float(pairs.detach()), "naming": float(naming.detach()), "accuracy": float(right)}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Measure on held-out clips of single sounds: share named right, and share whose plain title is nearest.

        `recorded_ten` is nearest among the titles of the concepts that have recordings.
        """
        self.module.eval()
        titles = self.module.read(describe_sentences(self.text, [lexicon.title(name) for name in CONCEPTS]))
        ten = [CONCEPTS.index(name) for name in self.hearing.pools.recorded]
        found: dict[str, list[bool]] = {}
        for i in self.hearing.held_out[:: max(1, len(self.hearing.held_out) // 600)]:
            sound, named = self.module.hear(torch.from_numpy(self.hearing.mels[i])[None])
            near, truth = (sound @ titles.T)[0], CONCEPTS.index(self.hearing.concept(i))
            kind = "recorded" if self.hearing.is_recorded(i) else "synthesised"
            found.setdefault(f"{kind}_named", []).append(int(named[0].argmax()) == truth)
            found.setdefault(f"{kind}_matched", []).append(int(near.argmax()) == truth)
            if kind == "recorded":
                found.setdefault("recorded_ten", []).append(ten[int(near[ten].argmax())] == truth)
        return {name: float(np.mean(values)) for name, values in found.items()}

    def export(self, folder: Path) -> None:
        """Write the model folder; the text encoder is named, not copied."""
        write_model(folder, {"kind": "pocket-clap", "model": self.module.config}, self.module.state_dict())

    def _sentences(self, examples: Sequence[Example], rng: np.random.Generator) -> tuple[list[str], list[Slots | None]]:
        """A sentence for each example, and others about anything; None is the meaning of one about nothing known."""
        sentences = [self.hearing.caption(example, rng) for example in examples]
        meanings: list[Slots | None] = [example.slots for example in examples]
        for _ in range((self.config.sentences - 1) * len(examples)):
            stranger = rng.random() < self.config.strangers
            text, meaning = (lexicon.pick(rng, self.strangers), None) if stranger else sample_description(rng)
            sentences.append(text)
            meanings.append(meaning)
        return sentences, meanings


def match(sound: Slots, sentence: Slots | None) -> float:
    """How well a sentence fits a sound: share of the sounds of both that they have in common, and the relation."""
    if sentence is None:
        return 0.0
    heard, told = ({name for name in (slots.first, slots.second) if name} for slots in (sound, sentence))
    common = len(heard & told) / len(heard | told)
    if common < 1 or len(heard) == 1:
        return common
    if sound.relation != sentence.relation:
        return OTHER_RELATION
    return 1.0 if sound.relation == "together" or sound.first == sentence.first else REVERSED


def shares(slots: Slots) -> Tensor:
    """Target of a classifier, (K,): all on one sound, or half on each of two."""
    target = torch.zeros(len(CONCEPTS))
    names = [name for name in (slots.first, slots.second) if name is not None]
    for name in names:
        target[CONCEPTS.index(name)] = 1 / len(names)
    return target
