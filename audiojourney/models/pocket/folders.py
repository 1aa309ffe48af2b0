"""Opens the model folders of the pocket models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from audiojourney import config as configuration
from audiojourney import hub
from audiojourney.errors import MissingError
from audiojourney.model_folder import read_config, read_weights
from audiojourney.models.pocket.autoencoder import MelAutoencoder, MelAutoencoderConfig
from audiojourney.models.pocket.captioner import PocketCaptioner, PocketCaptionerConfig
from audiojourney.models.pocket.clap import PocketClap, PocketClapConfig
from audiojourney.models.pocket.listener import Listener, ListenerConfig
from audiojourney.models.pocket.packing import unpack
from audiojourney.models.pocket.text import PocketText, PocketTextConfig, Wordings
from audiojourney.models.pocket.vocoder import SpectralVocoder, SpectralVocoderConfig
from audiojourney.models.pocket.words import WordTable

WORDS = "words.safetensors"
WORDINGS = "wordings.safetensors"
M = TypeVar("M", bound=nn.Module)


def open_kind(name: str | Path, kind: str) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the settings of a model of the wanted kind.

    Raises:
        MissingError: there is no such model, or it is of another kind.
    """
    folder = hub.resolve_model(str(name))
    settings = read_config(folder)
    if settings.get("kind") != kind:
        raise MissingError(f"{str(name)!r} is a {settings.get('kind')!r} model; a {kind!r} is needed here.")
    return folder, settings["model"]


def load_autoencoder(name: str | Path) -> MelAutoencoder:
    """Open a pocket autoencoder by name or folder, ready for inference."""
    folder, settings = open_kind(name, "pocket-autoencoder")
    return _filled(MelAutoencoder(configuration.build(MelAutoencoderConfig, settings)), folder)


def load_vocoder(name: str | Path) -> SpectralVocoder:
    """Open a pocket vocoder by name or folder, ready for inference."""
    folder, settings = open_kind(name, "pocket-vocoder")
    return _filled(SpectralVocoder(configuration.build(SpectralVocoderConfig, settings)), folder)


def load_listener(name: str | Path) -> Listener:
    """Open a pocket listener by name or folder, ready for inference."""
    folder, settings = open_kind(name, "pocket-listener")
    return _filled(Listener(configuration.build(ListenerConfig, settings)), folder)


def load_text(name: str | Path) -> PocketText:
    """Open a pocket text encoder by name or folder, with its word table, ready for inference."""
    folder, settings = open_kind(name, "pocket-text")
    config, table = configuration.build(PocketTextConfig, settings), WordTable.load(folder / WORDS)
    known = read_weights(folder, WORDINGS)
    return _filled(PocketText(config, table, Wordings(known["vectors"], known["concepts"])), folder)


def load_clap(name: str | Path) -> PocketClap:
    """Open a pocket audio-text model by name or folder, ready for inference; its text encoder is opened apart."""
    folder, settings = open_kind(name, "pocket-clap")
    return _filled(PocketClap(configuration.build(PocketClapConfig, settings)), folder)


def load_captioner(name: str | Path) -> PocketCaptioner:
    """Open the network of a pocket captioner by name or folder, ready for inference."""
    folder, settings = open_kind(name, "pocket-captioner")
    return _filled(PocketCaptioner(configuration.build(PocketCaptionerConfig, settings)), folder)


def _filled(module: M, folder: Path) -> M:
    module.load_state_dict(unpack(read_weights(folder)))
    return module.eval().requires_grad_(False)
