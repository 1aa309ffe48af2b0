"""Tiny random CLAPs in the layouts that are published."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from tests.models.official_layout import laion_state, save_tokenizer, tiny_clap

PREPROCESSOR = {
    "feature_extractor_type": "ClapFeatureExtractor",
    "feature_size": 64,
    "fft_window_size": 1024,
    "frequency_max": 14_000,
    "frequency_min": 50,
    "hop_length": 480,
    "max_length_s": 10,
    "padding": "repeatpad",
    "sampling_rate": 48_000,
    "truncation": "rand_trunc",
}


def write_hub_folder(folder: Path) -> Path:
    """Write a CLAP as the Hub has it: settings, weights, tokenizer, feature extractor; return the folder."""
    tiny_clap().save_pretrained(folder)
    save_tokenizer(folder, "<s>")
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR), encoding="utf-8")
    return folder


def write_laion(folder: Path, name: str = "630k-audioset-best.pt", fusing: bool = False) -> Path:
    """Write the same CLAP as LAION has it, with a tokenizer beside it; return the checkpoint."""
    state = {f"module.{key}": tensor for key, tensor in laion_state(tiny_clap()).items()}
    if fusing:
        state["module.audio_branch.patch_embed.mel_conv2d.weight"] = torch.zeros(1)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"epoch": 3, "name": "tiny", "state_dict": state}, folder / name)
    save_tokenizer(folder / "roberta-base", "<s>")
    return folder / name
