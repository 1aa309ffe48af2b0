"""Tiny data and tiny models of the pocket family, made in a second, for tests of everything above them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from audiojourney.data.clip import Caption, Clip
from audiojourney.data.manifest import write_clips
from audiojourney.data.write import save_audio
from audiojourney.model_folder import write_model, write_weights
from audiojourney.models.pocket.autoencoder import MelAutoencoder, MelAutoencoderConfig
from audiojourney.models.pocket.captioner import PocketCaptioner, PocketCaptionerConfig
from audiojourney.models.pocket.clap import PocketClap, PocketClapConfig, sentence_width
from audiojourney.models.pocket.folders import WORDINGS, WORDS, load_autoencoder, load_text
from audiojourney.models.pocket.listener import Listener, ListenerConfig
from audiojourney.models.pocket.pipeline import KIND, PocketGeneratorConfig, build_pocket_denoiser
from audiojourney.models.pocket.text import PocketText, PocketTextConfig, Wordings
from audiojourney.models.pocket.trunk import TrunkConfig
from audiojourney.models.pocket.vocoder import SpectralVocoder, SpectralVocoderConfig
from audiojourney.models.pocket.words import WordTable

RATE_HZ = 16_000
KINDS = ("rain", "whistle")  # noise and a tone
TRUNK = TrunkConfig(widths=(8, 8, 8, 8))


def write_data(folder: Path, per_kind: int = 6, seconds: float = 2.0) -> Path:
    """Write a data folder of noises and tones; the first of each kind are recordings with folds 1, 2, 3, 4."""
    rng, clips = np.random.default_rng(0), []
    folder.mkdir(parents=True)
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    for kind in KINDS:
        for i in range(2 * per_kind):
            tone = np.sin(2 * np.pi * rng.uniform(800, 2000) * time)
            wave = 0.3 * (rng.standard_normal(len(time)) * 0.3 if kind == "rain" else tone)
            path = folder / f"{kind}-{i}.wav"
            save_audio(path, wave.astype(np.float32), RATE_HZ)
            fold = i % 4 + 1 if i < per_kind else None
            clips.append(Clip(path=path, id=path.name, labels=(kind,), fold=fold, captions=(Caption(f"a {kind}"),)))
    write_clips(folder / "metadata.jsonl", clips)
    return folder


def word_table(folder: Path) -> Path:
    """Write a word table of a few words with random vectors."""
    words = sorted({"rain", "whistle", "dog", "table", "tin", "roof", "violin", "storm", "referee", "lamp"})
    vectors = torch.randn(len(words), 16, generator=torch.Generator().manual_seed(0))
    path = folder / "words.safetensors"
    WordTable.quantise(words, vectors, torch.ones(len(words))).save(path)
    return path


def write_models(folder: Path, *, vocoder: bool = True) -> Path:
    """Write a generator with all its parts, random weights; returns the folder of the generator."""
    torch.manual_seed(0)
    for part in ("text", "autoencoder", "vocoder", "listener", "generator"):
        (folder / part).mkdir(parents=True)
    _write_text(folder / "text")
    autoencoder = MelAutoencoder(MelAutoencoderConfig(channels=8, width=16, depth=1))
    autoencoder.fit_components(torch.randn(4, 200, 64) - 4)
    _write(folder / "autoencoder", "pocket-autoencoder", autoencoder)
    _write(folder / "vocoder", "pocket-vocoder", SpectralVocoder(SpectralVocoderConfig(width=16, depth=1, noise=4)))
    _write(folder / "listener", "pocket-listener", Listener(ListenerConfig(classes=KINDS, widths=(8, 8, 8, 8))))
    config = PocketGeneratorConfig(
        text=str(folder / "text"),
        autoencoder=str(folder / "autoencoder"),
        vocoder=str(folder / "vocoder") if vocoder else "griffin-lim",
        listener=str(folder / "listener"),
        sizes={"width": 32, "depth": 1, "heads": 2},
        steps=3,
    )
    denoiser = build_pocket_denoiser(config, load_text(config.text), load_autoencoder(config.autoencoder))
    for parameter in denoiser.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    write_model(folder / "generator", {"kind": KIND, "model": asdict(config)}, denoiser.state_dict())
    return folder / "generator"


def write_hearing(folder: Path) -> tuple[Path, Path]:
    """Write a scorer with its text encoder and a captioner, random weights; returns both folders."""
    torch.manual_seed(0)
    for part in ("text", "clap", "captioner"):
        (folder / part).mkdir(parents=True)
    _write_text(folder / "text")
    width = sentence_width(load_text(folder / "text"))
    clap = PocketClapConfig(text=str(folder / "text"), concepts=KINDS, trunk=TRUNK, sentence=width, hidden=16, width=8)
    _write(folder / "clap", "pocket-clap", PocketClap(clap))
    captioner = PocketCaptionerConfig(concepts=KINDS, trunk=TRUNK, width=16, depth=1, heads=2)
    _write(folder / "captioner", "pocket-captioner", PocketCaptioner(captioner))
    return folder / "clap", folder / "captioner"


def _write_text(folder: Path) -> None:
    table = WordTable.load(word_table(folder))
    config = PocketTextConfig(
        concepts=KINDS,
        titles=("rain falling", "a whistle"),
        vocabulary=("and", "then"),
        width=16,
        depth=1,
        heads=2,
        table_width=table.width,
    )
    known = torch.stack([table.sentence(kind) for kind in KINDS]) * 127
    wordings = Wordings(known.round().to(torch.int8), torch.tensor([0, 1], dtype=torch.uint8))
    write_weights(folder, {"vectors": wordings.vectors, "concepts": wordings.concepts}, WORDINGS)
    assert (folder / WORDS).is_file()
    _write(folder, "pocket-text", PocketText(config, table, wordings))


def _write(folder: Path, kind: str, module: Any) -> None:
    write_model(folder, {"kind": kind, "model": module.config}, module.state_dict())
