"""Model folders of the GenAu family that `aj pretrain` writes, beside the published checkpoints.

B batch, F mel frames, M mel bins, T samples, D width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from audiojourney import config as configuration
from audiojourney import hub
from audiojourney.model_folder import read_config, read_weights
from audiojourney.models.base import Condition, TextEncoder
from audiojourney.models.fit import FIT
from audiojourney.models.fit_config import FITConfig
from audiojourney.models.genau import checkpoint as published
from audiojourney.models.genau.conditioner import UNCONDITIONAL_ID
from audiojourney.models.genau.hifigan import HiFiGAN, HiFiGANConfig
from audiojourney.models.genau.official_yaml import DATASET_IDS
from audiojourney.models.genau.pipeline import GenAuGenerator
from audiojourney.models.genau.vae1d import VAE1d, VAE1dConfig
from audiojourney.models.pocket.folders import load_text, open_kind
from audiojourney.models.pocket.vocoder import griffin_lim

KIND = "genau-generator"
HASHED = "hashed"
GRIFFIN_LIM = "griffin-lim"
HASHED_WIDTH = 256
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class GenauParts:
    """What a trained GenAu generator consists of.

    Attributes:
        vae: name or folder of the autoencoder.
        text: name or folder of the text encoder: a pocket one, a published GenAu whose encoders are taken, or
            "hashed" for one without weights.
        vocoder: name or folder of the vocoder, or "griffin-lim" for none.
        fit: sizes of the denoiser; channels and text width follow from the other parts.
        dataset: data set whose style is asked for when nothing is said.
        dataset_ids: data-set names to indices below 32.
    """

    vae: str = "genau-full-s"
    text: str = "genau-full-s"
    vocoder: str = GRIFFIN_LIM
    fit: FITConfig = field(default_factory=FITConfig)
    dataset: str = "audiocaps"
    dataset_ids: Mapping[str, int] = field(default_factory=lambda: dict(DATASET_IDS))


class HashedText(nn.Module):
    """Prompts to vectors without any weights: each word is a fixed random direction.

    It knows no synonyms; it is there so that training can be tried and tested anywhere.
    """

    def encode(self, prompts: Sequence[str]) -> Condition:
        """Return the mean direction of the words of each prompt, pooled shape (B, D); the empty prompt is zero."""
        return Condition(pooled=torch.stack([self._mean(prompt.lower().split()) for prompt in prompts]))

    def _mean(self, words: Sequence[str]) -> Tensor:
        rows = [torch.zeros(HASHED_WIDTH), *(self._direction(word) for word in words)]
        return torch.stack(rows).sum(0) / max(1, len(words)) ** 0.5

    def _direction(self, word: str) -> Tensor:
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))
        return torch.randn(HASHED_WIDTH, generator=generator) / HASHED_WIDTH**0.5


class DatasetConditioner(nn.Module):
    """A text encoder and the data set to sound like.

    Args:
        text: gives the vector of a prompt.
        dataset_id: index of the data set.
    """

    def __init__(self, text: nn.Module, dataset_id: int) -> None:
        super().__init__()
        self.text, self.dataset_id = text, dataset_id

    def encode(self, prompts: Sequence[str]) -> Condition:
        """Return the condition of B prompts; the empty prompt is the unconditional one, data set included."""
        pooled = cast(TextEncoder, self.text).encode(prompts).pooled
        ids = [UNCONDITIONAL_ID if prompt == "" else self.dataset_id for prompt in prompts]
        return Condition(pooled=pooled, dataset_ids=torch.tensor(ids, device=pooled.device))


class GriffinLim(nn.Module):
    """Stands where a vocoder would be; needs no weights and sounds like it."""

    def forward(self, mel: Tensor) -> Tensor:
        """Map log-mel (B, F, M) to waveforms (B, T)."""
        return griffin_lim(mel, torch.Generator().manual_seed(0))


def load_vae(name: str | Path) -> VAE1d:
    """Open an autoencoder by name or folder, ready for inference."""
    checkpoint = _published(name)
    if checkpoint is not None:
        return _frozen(published.load_vae(checkpoint))
    folder, sizes = open_kind(name, "genau-vae")
    return _filled(VAE1d(configuration.build(VAE1dConfig, sizes)), folder)


def load_vocoder(name: str | Path) -> nn.Module:
    """Open a vocoder by name or folder, ready for inference; "griffin-lim" needs none."""
    if str(name) == GRIFFIN_LIM:
        return GriffinLim()
    checkpoint = _published(name)
    if checkpoint is not None:
        return _frozen(published.load_vocoder(checkpoint))
    folder, sizes = open_kind(name, "genau-vocoder")
    return _filled(HiFiGAN(configuration.build(HiFiGANConfig, sizes)), folder)


def load_text_encoder(name: str | Path) -> nn.Module:
    """Open a text encoder by name or folder; "hashed" needs none."""
    if str(name) == HASHED:
        return HashedText()
    checkpoint = _published(name)
    return load_text(name) if checkpoint is None else _frozen(published.load_conditioner(checkpoint))


class GenauFolder:
    """Opens a generator that `aj pretrain` wrote."""

    @classmethod
    def from_folder(cls, folder: Path, name: str) -> GenAuGenerator:
        """Open a model folder and the parts that it names."""
        parts = configuration.build(GenauParts, read_config(folder)["model"])
        fit = _filled(FIT(parts.fit), folder)
        return assemble(name, parts, fit, load_vae(parts.vae), load_text_encoder(parts.text))


class PublishedGenau:
    """Opens a generator whose published checkpoint lies in a folder."""

    @classmethod
    def from_folder(cls, folder: Path, name: str) -> GenAuGenerator:
        """Open the checkpoint of that name, or the only one in the folder."""
        return published.load_genau(folder, name=_published_name(name))


def assemble(name: str, parts: GenauParts, fit: FIT, vae: VAE1d, text: nn.Module) -> GenAuGenerator:
    """Put the parts of a generator together; the vocoder is opened by its name."""
    conditioner: Any = DatasetConditioner(text, parts.dataset_ids[parts.dataset])
    vocoder: Any = load_vocoder(parts.vocoder)
    return GenAuGenerator(fit, vae, vocoder, conditioner, name=name)


def _published(name: str | Path) -> published.Checkpoint | None:
    """Return the published checkpoint of that name, None when it is a model folder of ours or no folder at all."""
    folder = hub.resolve_model(str(name))
    return published.Checkpoint.open(folder, _published_name(name)) if any(folder.glob("*.ckpt")) else None


def _published_name(name: str | Path) -> str | None:
    """Return the file name of a checkpoint that is asked for by its published name: the Hub's folder holds several."""
    return str(name) if str(name) in hub.PUBLISHED else None


def _filled(module: M, folder: Path) -> M:
    module.load_state_dict(read_weights(folder))
    return _frozen(module)


def _frozen(module: M) -> M:
    return module.eval().requires_grad_(False)
