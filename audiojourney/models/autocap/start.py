"""Weights that AutoCap begins its training with, and what of it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audiojourney.errors import MissingError
from audiojourney.hub import fetch
from audiojourney.models.autocap.model import open_autocap
from audiojourney.models.autocap.network import AutoCap
from audiojourney.models.autocap.official import DERIVED, htsat_state
from audiojourney.models.genau.state import State, fill, read_state, under
from audiojourney.models.transformers_parts import read_pretrained, transformers_class

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_CLAP_AUDIO = "audio_model.audio_encoder."


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where the first weights come from; what is null begins at random.

    Attributes:
        bart: folder or Hub id of a BART of transformers.
        htsat: an HTSAT checkpoint (a file whose names begin with `sed_model.` or with nothing), or folder or Hub id of
            a CLAP of transformers, whose audio encoder is an HTSAT.
        captioner: a whole captioner: "autocap-full", a folder or a run; the others are not looked at then.
    """

    bart: str | None = None
    htsat: str | None = None
    captioner: str | None = None


def load_start(network: AutoCap, start: Start) -> None:
    """Fill a new network with its first weights.

    Raises:
        MissingError: weights are absent.
        UsageError: they have other sizes.
    """
    if start.captioner is not None:
        fill(network, open_autocap(start.captioner).network.state_dict(), "captioner", optional=DERIVED)
        network.bart.tie_weights()
        return
    if start.bart is not None:
        kind = transformers_class("models.bart.modeling_bart", "BartForConditionalGeneration")
        loaded = read_pretrained(kind, _folder(start.bart, ("config.json", _WEIGHTS[0])), "BART")
        fill(network.bart, loaded.state_dict(), "text model", optional=DERIVED)
        network.bart.tie_weights()
    if start.htsat is not None:
        fill(network.htsat, _htsat(start.htsat), "audio encoder", optional=DERIVED)
    network.initialise()


def freeze(network: AutoCap, *, bart: bool, words: bool = False, fc1: bool = False) -> None:
    """Let a network be trained, but for HTSAT.

    Args:
        network: the network.
        bart: whether BART is trained.
        words: whether its word embeddings are trained with it.
        fc1: whether the first feed-forward layers of HTSAT are trained, as by the released code.
    """
    network.requires_grad_(True)
    network.htsat.requires_grad_(False)
    network.bart.requires_grad_(bart)
    network.bart.model.shared.weight.requires_grad_(bart and words)
    for name, parameter in network.htsat.named_parameters():
        if fc1 and ".intermediate.dense." in name:
            parameter.requires_grad_(True)


def _htsat(name: str) -> State:
    """Return the tensors of an audio encoder under the names of our module."""
    path = Path(name).expanduser()
    if path.is_file():
        return under(htsat_state(read_state(path)), "htsat.")
    folder = _folder(name, ("config.json",))
    files = [folder / file for file in _WEIGHTS if (folder / file).is_file()]
    state = under(read_state(files[0]), _CLAP_AUDIO) if files else {}
    if not state:
        raise MissingError(f"{name!r} has no tensors under {_CLAP_AUDIO!r}.", "Name a CLAP or an HTSAT checkpoint.")
    return {f"swin.audio_encoder.{inner}": tensor for inner, tensor in state.items()}


def _folder(name: str, needed: tuple[str, ...]) -> Path:
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise MissingError(f"There are no weights at {name!r}.", "Give a file, a folder or a Hub id.")
    return fetch(name, needed) if needed[-1] in _WEIGHTS else fetch(name)
