"""The published GenAu weights: which files there are, and where they are found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audiojourney.hub import fetch

TOKENIZER_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class HubFiles:
    """Files of one Hub repository.

    Attributes:
        repo: Hub id.
        files: names in the repository.
        role: what they are for.
    """

    repo: str
    files: tuple[str, ...]
    role: str


PARTS = {
    "genau-full-l": HubFiles("mali6/autocap", ("genau-full-l.ckpt", "genau-full-l.yaml"), "generator"),
    "genau-full-s": HubFiles("mali6/autocap", ("genau-full-s.ckpt", "genau-full-s.yaml"), "generator"),
    "genau-l-full-hq-data": HubFiles(
        "mali6/autocap", ("genau-l-full-hq-data.ckpt", "genau-l-full-hq-data.yaml"), "generator"
    ),
    "1dvae_64ch_16k_64bins": HubFiles("mali6/autocap", ("1dvae_64_344999.ckpt",), "autoencoder"),
    "hifigan_16k_64bins": HubFiles("mali6/autocap", ("hifigan_16k_64bins.ckpt", "hifigan_16k_64bins.json"), "vocoder"),
    "clap_htsat_tiny": HubFiles("mali6/autocap", ("clap_htsat_tiny.pt",), "conditioning CLAP"),
    "music_speech_audioset_epoch_15_esc_89.98": HubFiles(
        "lukewys/laion_clap", ("music_speech_audioset_epoch_15_esc_89.98.pt",), "ranking CLAP"
    ),
    "flan-t5-large": HubFiles("google/flan-t5-large", (*TOKENIZER_FILES, "spiece.model"), "tokenizer of FLAN-T5"),
    "flan-t5-large-weights": HubFiles("google/flan-t5-large", ("model.safetensors",), "text encoder"),
    "roberta-base": HubFiles(
        "FacebookAI/roberta-base", (*TOKENIZER_FILES, "vocab.json", "merges.txt"), "tokenizer of CLAP"
    ),
}


def locate(part: str, folder: Path) -> Path:
    """Return the folder that holds the files of a part: `folder`, `folder/<part>`, or the Hub's cache.

    Raises:
        MissingError: they are not on this machine and cannot be fetched.
    """
    wanted = PARTS[part]
    for place in (folder / part, folder):
        if all((place / name).is_file() for name in wanted.files):
            return place
    # A tokenizer saved by transformers has fewer files than the published one.
    if (folder / part / "tokenizer.json").is_file():
        return folder / part
    return fetch(wanted.repo, wanted.files)
