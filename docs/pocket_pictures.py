"""Draws the pictures of docs/pocket.md: real beside generated sounds, and the curves of the training runs.

python docs/pocket_pictures.py RECORDINGS RUNS      # needs the extra "plot"
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
import torch

import audiojourney
from audiojourney.data.audio import load
from audiojourney.data.manifest import read_clips
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.scenes.concepts import ESC10_CONCEPTS

matplotlib.use("Agg")
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
HELD_OUT = 4
SYNTHETIC = ("wind", "thunder", "crickets", "church_bell", "siren", "knock", "footsteps", "phone", "train", "applause")
RUNS = ("autoencoder", "vocoder", "text", "listener", "generator")


def picture(wave: np.ndarray) -> np.ndarray:
    """Log-mel (M, F) of a sound with its peak at one half."""
    peak = np.abs(wave).max() + 1e-8
    return log_mel(torch.from_numpy((wave * 0.5 / peak).astype(np.float32))).numpy().T


def sheet(rows: list[tuple[str, list[np.ndarray]]], path: Path) -> None:
    """Draw rows of two real and two generated sounds."""
    figure, axes = plt.subplots(len(rows), 4, figsize=(12, 1.15 * len(rows)), sharex=True, sharey=True)
    for line, (name, mels) in zip(axes, rows, strict=True):
        for axis, mel in zip(line, mels, strict=True):
            axis.imshow(mel, origin="lower", aspect="auto", vmin=GENAU.silence, vmax=1, cmap="magma")
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name.replace("_", "\n"), rotation=0, ha="right", va="center", fontsize=8)
    for axis, title in zip(axes[0], ("real", "real", "generated", "generated"), strict=True):
        axis.set_title(title, fontsize=9)
    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=70)


def generated(concept: str) -> list[np.ndarray]:
    """Two sounds of the shipped generator for the plainest wording of a concept."""
    return [audiojourney.generate(lexicon.title(concept), seed=s, duration_s=5.0).samples for s in (1, 2)]


def recorded_rows(recordings: Path) -> list[tuple[str, list[np.ndarray]]]:
    """Held-out recordings beside generated sounds of the same class."""
    clips = [clip for clip in read_clips(recordings) if clip.fold == HELD_OUT]
    rows = []
    for label, concept in ESC10_CONCEPTS.items():
        real = [load(clip.path, GENAU.rate_hz) for clip in clips if clip.labels == (label,)][:2]
        rows.append((concept, [picture(wave) for wave in (*real, *generated(concept))]))
    return rows


def synthetic_rows() -> list[tuple[str, list[np.ndarray]]]:
    """Renderings of the synthesiser with new seeds beside generated sounds."""
    samples = 5 * GENAU.rate_hz
    rows = []
    for concept in SYNTHETIC:
        real = [SOURCES[concept].render(np.random.default_rng(10**7 + s), samples, GENAU.rate_hz).wave for s in (1, 2)]
        rows.append((concept, [picture(wave) for wave in (*real, *generated(concept))]))
    return rows


def curves(runs: Path, path: Path) -> None:
    """Draw training loss and validation figures of each run."""
    figure, axes = plt.subplots(1, len(RUNS), figsize=(15, 2.6))
    for axis, name in zip(axes, RUNS, strict=True):
        lines = [json.loads(line) for line in (runs / name / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        train = [(line["step"], line["loss"]) for line in lines if line["kind"] == "train"]
        axis.plot(*zip(*train, strict=True), lw=0.8, label="training loss")
        checks = [line for line in lines if line["kind"] == "val"]
        for key in sorted({key for line in checks for key in line} - {"kind", "step"}):
            axis.plot([line["step"] for line in checks], [line[key] for line in checks], "o-", ms=3, lw=0.8, label=key)
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=70)


if __name__ == "__main__":
    sheet(recorded_rows(Path(sys.argv[1])), HERE / "pocket_recorded.png")
    sheet(synthetic_rows(), HERE / "pocket_synthetic.png")
    curves(Path(sys.argv[2]), HERE / "pocket_curves.png")
