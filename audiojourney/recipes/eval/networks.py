"""The networks that listen in an evaluation: which metric wants which, and what stands in where weights are absent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiojourney import checkpoints, hub, model_folder
from audiojourney.errors import UsageError
from audiojourney.metrics.embedders import Embedder, Heard, PannsEmbedder, PocketEmbedder, VGGishEmbedder
from audiojourney.registry import offer

if TYPE_CHECKING:
    from audiojourney.models.clap.scorer import EmbeddingScorer

POCKET = "pocket/listener"
CHOICES = ("vggish", "panns", "panns-32k", "laion", "pocket")  # values of --embedding beside paths
_STEPS = 2  # changes whenever the same network would hear something else in the same file


@dataclass(frozen=True)
class Network:
    """A network that is ready to listen.

    Attributes:
        embedder: what listens; its name ends the names of metrics.
        checkpoint: name of the weights.
        sha256: hash of the weights.
        parallel: whether several threads may listen at once.
        scorer: what reads captions, for a CLAP.
    """

    embedder: Embedder
    checkpoint: str
    sha256: str
    parallel: bool = True
    scorer: EmbeddingScorer | None = None

    @property
    def key(self) -> str:
        """Names the network and all that decides what it hears, for the cache."""
        return f"{self.embedder.name}-{self.sha256[:16]}-{_STEPS}"


class ScorerEmbedder:
    """A CLAP as a network that listens: one row a clip, in the space of its captions."""

    shortest = 1

    def __init__(self, scorer: EmbeddingScorer) -> None:
        self.scorer = scorer
        self.name = "laion" if scorer.name == "clap_laion" else scorer.name.removeprefix("clap_")
        self.rate_hz = scorer.sample_rate_hz

    def embed(self, waves: Sequence[np.ndarray]) -> list[Heard]:
        """Listen to clips of any length; the scorer crops them."""
        return [Heard(row[None], row) for row in self.scorer.embed_audio(waves)]


def open_network(name: str, device: str = "cpu") -> Network:
    """Open what `--embedding` names.

    Args:
        name: one of `CHOICES`, or the path of a checkpoint of VGGish or CNN14.
        device: torch device.

    Raises:
        MissingError: its weights are not on this machine and cannot be had.
        UsageError: there is no such network.
    """
    if name == "pocket":
        return _pocket(POCKET, device)
    if name in checkpoints.CHECKPOINTS:
        return _checkpoint(checkpoints.fetch(name), device)
    if name == "laion":
        return open_scorer("clap", device)
    path = Path(name).expanduser()
    if path.is_file():
        return _checkpoint(path, device)
    if path.is_dir():
        return _pocket(name, device)
    raise UsageError(f"There is no network {name!r}.", offer(name, CHOICES))


def open_scorer(name: str, device: str = "cpu") -> Network:
    """Open a CLAP by any name that `audiojourney.models.clap.load.load_scorer` takes.

    Raises:
        MissingError: it cannot be had.
        UsageError: it is no CLAP.
    """
    from audiojourney.models.clap.load import load_scorer

    scorer = load_scorer(name, device)
    model, _, digest = scorer.model.partition("@")
    return Network(ScorerEmbedder(scorer), model, digest or model, parallel=False, scorer=scorer)


def _pocket(name: str, device: str) -> Network:
    from audiojourney.models.pocket.folders import load_listener

    sha256 = model_folder.fingerprint(hub.resolve_model(name))
    return Network(PocketEmbedder(load_listener(name), device), name, sha256, parallel=device == "cpu")


def _checkpoint(path: Path, device: str) -> Network:
    from audiojourney.models.genau.state import read_state
    from audiojourney.models.panns import Cnn14
    from audiojourney.models.vggish import VGGish

    state = read_state(path)
    embedder: Any
    if "features.0.weight" in state:
        embedder = VGGishEmbedder(VGGish.of_state(state), device)
    else:
        embedder = PannsEmbedder(Cnn14.of_state(state), device)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Network(embedder, path.name, sha256, parallel=device == "cpu")
