"""Single checkpoint files that lie outside the Hub: where they are looked for, and where they come from."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from audiojourney import files, hub
from audiojourney.errors import MissingError, UsageError
from audiojourney.registry import offer

_TIMEOUT_S = 30.0
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Checkpoint:
    """A published file.

    Attributes:
        file: its name, as it is published.
        url: where it comes from.
        network: what it holds, in words.
        sha256: beginning of the hash of its bytes where its publishers give one, else "".
        elsewhere: folders below the user's home where other programs keep it.
    """

    file: str
    url: str
    network: str
    sha256: str = ""
    elsewhere: tuple[str, ...] = ()


_ZENODO = "https://zenodo.org/records/3987831/files"
_TORCH = ".cache/torch/hub/checkpoints"
CHECKPOINTS = {
    "vggish": Checkpoint(
        "vggish-10086976.pth",
        "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
        "VGGish",
        "10086976",
        (_TORCH,),
    ),
    "panns": Checkpoint(
        "Cnn14_16k_mAP=0.438.pth",
        f"{_ZENODO}/Cnn14_16k_mAP%3D0.438.pth?download=1",
        "PANNs CNN14 at 16 kHz",
        elsewhere=(_TORCH, "panns_data", ".cache/audioldm_eval/ckpt"),
    ),
    "panns-32k": Checkpoint(
        "Cnn14_mAP=0.431.pth",
        f"{_ZENODO}/Cnn14_mAP%3D0.431.pth?download=1",
        "PANNs CNN14 at 32 kHz",
        elsewhere=(_TORCH, "panns_data", ".cache/audioldm_eval/ckpt"),
    ),
}


def folder() -> Path:
    """Return where checkpoints are kept, and where one may be put by hand."""
    return hub.home() / "checkpoints"


def find(name: str) -> Path | None:
    """Return the file of a checkpoint where it is on this machine, else None.

    Raises:
        UsageError: there is no checkpoint of that name.
    """
    checkpoint = _named(name)
    torch_home = os.environ.get("TORCH_HOME")
    places = [folder(), *(Path.home() / place for place in checkpoint.elsewhere)]
    places += [Path(torch_home) / "hub" / "checkpoints"] if torch_home else []
    return next((place / checkpoint.file for place in places if (place / checkpoint.file).is_file()), None)


def fetch(name: str) -> Path:
    """Return the file of a checkpoint: from this machine, else by one download.

    Raises:
        MissingError: it is not here, and the network is off, dead, or gives something else.
        UsageError: there is no checkpoint of that name.
    """
    found = find(name)
    if found is not None:
        return found
    checkpoint = _named(name)
    absent = f"The weights of {checkpoint.network} ({checkpoint.file}) are not on this machine"
    by_hand = f"Put the file into {folder()}."
    if hub.offline():
        raise MissingError(f"{absent} and the network is switched off.", by_hand)
    if not hub.reachable(checkpoint.url):
        raise MissingError(f"{absent} and the network cannot be reached.", by_hand)
    path = folder() / checkpoint.file
    with files.replacing(path) as part:
        try:
            _download(checkpoint, part)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
            raise MissingError(f"{absent} and cannot be fetched from {checkpoint.url} ({error}).", by_hand) from error
    return path


def _named(name: str) -> Checkpoint:
    if name not in CHECKPOINTS:
        raise UsageError(f"There is no checkpoint {name!r}.", offer(name, CHECKPOINTS))
    return CHECKPOINTS[name]


def _download(checkpoint: Checkpoint, part: Path) -> None:
    digest = hashlib.sha256()
    with urllib.request.urlopen(checkpoint.url, timeout=_TIMEOUT_S) as answer, part.open("wb") as file:
        while block := answer.read(_BLOCK):
            digest.update(block)
            file.write(block)
    if not digest.hexdigest().startswith(checkpoint.sha256):
        raise MissingError(
            f"{checkpoint.url} gave another file: its SHA-256 is {digest.hexdigest()}, not {checkpoint.sha256}...",
            f"Put {checkpoint.file} into {folder()}.",
        )
