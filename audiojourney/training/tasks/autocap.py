"""Trains AutoCap in two stages (arXiv 2406.19388, section 3.2).

The first leaves BART as it is and trains what leads into it; the second trains BART too, but not its word embeddings.
HTSAT and CLAP are frozen in both. The released settings train the word embeddings, and by a slip of a name the first
layer of each feed-forward part of HTSAT: `train_words` and `train_fc1` do the same.

B batch, T samples, F mel frames, M mel bins, N metadata tokens, L caption tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audiojourney import files
from audiojourney.data.bank import WaveBank, open_bank
from audiojourney.data.folds import split
from audiojourney.errors import MissingError, UsageError
from audiojourney.model_folder import write_model
from audiojourney.models.autocap.metadata import open_tokenizer
from audiojourney.models.autocap.model import KIND, AutoCapModel, AutoCapParts, metadata_batch, open_clap
from audiojourney.models.autocap.network import LABEL_SMOOTHING, AutoCap
from audiojourney.models.autocap.official import untied
from audiojourney.models.autocap.search import Decoding
from audiojourney.models.autocap.sound import RATE_HZ, SAMPLES, SHORTEST, features, for_clap
from audiojourney.models.autocap.start import Start, freeze, load_start
from audiojourney.training.base import Batch
from audiojourney.training.tasks.autocap_examples import Example, SpecAugment, caption_labels, draw, keep_mask, mixed
from audiojourney.training.tasks.plain import PlainTask

VALIDATION_CLIPS, SAMPLE_CLIPS = 32, 4


@dataclass(frozen=True, kw_only=True)
class AutoCapTaskConfig:
    """Data and loss of AutoCap.

    Attributes:
        model: parts and sizes.
        start: weights to begin with.
        train_bart: whether BART is trained.
        train_words: whether its word embeddings are trained with it.
        train_fc1: whether the first feed-forward layers of HTSAT are trained.
        seconds: length of an example; the published model hears 10.
        longest: most tokens of a caption.
        smoothing: label smoothing.
        mix: share of examples that are two clips laid over one another, their captions joined.
        spec_augment: blanked stripes of the log-mel; null blanks none.
        hold_out: fold of recordings kept for validation; null trains on all.
    """

    model: AutoCapParts = field(default_factory=AutoCapParts)
    start: Start = field(default_factory=Start)
    train_bart: bool = False
    train_words: bool = False
    train_fc1: bool = False
    seconds: float = SAMPLES / RATE_HZ
    longest: int = 30
    smoothing: float = LABEL_SMOOTHING
    mix: float = 0.1
    spec_augment: SpecAugment | None = field(default_factory=SpecAugment)
    hold_out: int | None = None


class AutoCapTask(PlainTask):
    """See `AutoCapTaskConfig`. One caption is drawn at random where a clip has several."""

    def __init__(self, config: AutoCapTaskConfig, bank: WaveBank) -> None:
        self.config, self.bank = config, bank
        self.samples = round(config.seconds * RATE_HZ)
        if not SHORTEST < self.samples <= SAMPLES:
            raise UsageError(f"seconds is {config.seconds}.", f"Give at most {SAMPLES // RATE_HZ}.")
        long_enough = np.diff(bank.starts) > SHORTEST
        self.train, self.held_out = ([i for i in part if long_enough[i]] for part in split(bank, config.hold_out))
        if not self.train:
            raise MissingError(f"None of {len(bank)} clips is longer than {SHORTEST} samples.", "Give other data.")
        self.tokenizer = open_tokenizer(config.model.tokenizer)
        self.clap = open_clap(config.model.clap)
        self.module: AutoCap = AutoCap(config.model.network)
        load_start(self.module, config.start)
        freeze(self.module, bart=config.train_bart, words=config.train_words, fc1=config.train_fc1)

    @classmethod
    def build(cls, config: AutoCapTaskConfig, data: Sequence[Path]) -> AutoCapTask:
        """Open the data folders; only clips with a caption are used."""
        return cls(config, open_bank(data, RATE_HZ, keep=lambda clip: bool(clip.captions)))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw log-mel (B, F, M), factors (B, F, M) of what is kept of it, metadata (B, N) and captions (B, L)."""
        batch = self._batch([self._example(rng) for _ in range(size)])
        if self.config.spec_augment is not None:
            batch["keep"] = keep_mask(batch["mel"].shape, self.config.spec_augment, rng)
        return batch

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Cross entropy with label smoothing."""
        return self._loss(batch, self.config.smoothing), {}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Cross entropy without smoothing on held-out clips, always the same parts and captions of them."""
        rng = np.random.default_rng(1)
        batch = self._batch([draw(self.bank, i, self.samples, rng) for i in self._measured(VALIDATION_CLIPS)])
        return {"loss": float(self._loss({name: value.to(self._device) for name, value in batch.items()}, 0.0))}

    @torch.no_grad()
    def sample(self, folder: Path, step: int) -> None:
        """Write captions of a few held-out clips, one a line after the name of its clip."""
        rng, clips = np.random.default_rng(2), self._measured(SAMPLE_CLIPS)
        shown = [draw(self.bank, i, self.samples, rng) for i in clips]
        model = AutoCapModel(self.module, self.tokenizer, self.clap, self._device)
        decoding = Decoding(longest=self.config.longest)
        waves, texts = [one.wave for one in shown], [one.metadata for one in shown]
        found = model.captions(waves, texts, [0] * len(clips), 1, decoding)
        lines = [
            f"{self.bank.clips[i].id}\t{self.tokenizer.decode(best[0].tokens)}\n"
            for i, best in zip(clips, found, strict=True)
        ]
        files.write_text(folder / f"{step:08d}-captions.txt", "".join(lines))

    def export(self, folder: Path) -> None:
        """Write the model folder; tokenizer and CLAP are named in it, not copied."""
        parts = self.config.model
        placed = replace(parts, tokenizer=_located(parts.tokenizer), clap=parts.clap and _located(parts.clap))
        write_model(folder, {"kind": KIND, "model": asdict(placed)}, untied(self.module))

    @property
    def _device(self) -> torch.device:
        return self.module.queries.device

    def _measured(self, most: int) -> list[int]:
        return (self.held_out or self.train)[:most]

    def _example(self, rng: np.random.Generator) -> Example:
        first = self._pick(rng)
        return first if rng.random() >= self.config.mix else mixed(first, self._pick(rng), rng)

    def _pick(self, rng: np.random.Generator) -> Example:
        return draw(self.bank, self.train[int(rng.integers(len(self.train)))], self.samples, rng)

    def _batch(self, examples: Sequence[Example]) -> Batch:
        waves = [example.wave for example in examples]
        ids, mask = metadata_batch([e.metadata for e in examples], self.config.model.network, self.tokenizer)
        labels = caption_labels([e.caption for e in examples], self.tokenizer, self.config.longest)
        batch: Batch = {"mel": features(waves), "ids": ids, "mask": mask, "labels": labels}
        return batch if self.clap is None else {**batch, "clap_wave": for_clap(waves)}

    def _loss(self, batch: Batch, smoothing: float) -> Tensor:
        audio = self.module.hear(batch["mel"], batch.get("keep"))
        heard = self.module.encode(audio, self._clap_vectors(batch), batch["ids"], batch["mask"])
        return self.module.loss(heard, batch["labels"], smoothing)

    @torch.no_grad()
    def _clap_vectors(self, batch: Batch) -> Tensor | None:
        """Return vectors (B, D) of the sounds of a batch, None without CLAP."""
        return None if self.clap is None else self.clap.to(self._device).hear(batch["clap_wave"])


def _located(name: str) -> str:
    """Return the whole path of what lies on this machine, so that the model works from elsewhere; other names stay."""
    return str(Path(name).expanduser().resolve()) if Path(name).expanduser().exists() else name
