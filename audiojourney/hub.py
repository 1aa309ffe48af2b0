"""Names of models to folders on this machine. Weights come from the network through here and `checkpoints` alone."""

from __future__ import annotations

import os
import re
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from audiojourney.errors import MissingError
from audiojourney.registry import offer

POCKET = Path(__file__).parent / "pocket"
DEFAULT_MODEL = "pocket/generator"
# What marks a folder as a model: ours, transformers', diffusers'.
MARKERS = ("config.yaml", "config.json", "model_index.json")
PROBE_S = 1.5
_FOREIGN = ["*.h5", "*.msgpack", "*.onnx", "*.ot", "*.tflite"]  # weights for other frameworks
_scratch: list[Path] = []
_silences: list[bool] = []
_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


@dataclass(frozen=True)
class Published:
    """Weights that others have published.

    Attributes:
        repo: Hub repository that holds them.
        files: the files that are needed.
        licence: what their owners allow.
        kind: what they are, as in the `config.yaml` of a model folder.
    """

    repo: str
    files: tuple[str, ...]
    licence: str
    kind: str = "genau-generator"


_SNAP = "research only (Snap Inc.)"
PUBLISHED = {
    name: Published("mali6/autocap", (f"{name}.ckpt", f"{name}.yaml", "clap_htsat_tiny.pt"), _SNAP)
    for name in ("genau-full-l", "genau-full-s", "genau-l-full-hq-data")
} | {"autocap-full": Published("mali6/autocap", ("autocap-full.ckpt",), _SNAP, "autocap")}
_CLAP_FILES = {
    "630k": "630k-best.pt",
    "630k-audioset": "630k-audioset-best.pt",
    "music_audioset": "music_audioset_epoch_15_esc_90.14.pt",
    "music_speech": "music_speech_epoch_15_esc_89.25.pt",
    "music_speech_audioset": "music_speech_audioset_epoch_15_esc_89.98.pt",
}
PUBLISHED |= {
    name: Published("lukewys/laion_clap", (file,), "see lukewys/laion_clap", "clap")
    for name, file in _CLAP_FILES.items()
}


def home() -> Path:
    """Return the folder for what the package keeps: `AJ_HOME`, or the user's cache folder."""
    if os.environ.get("AJ_HOME"):
        return Path(os.environ["AJ_HOME"]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "audiojourney"


def cache(kind: str) -> Path:
    """Return the folder for what can be made again at any time, such as decoded clips."""
    return (_scratch[-1] if _scratch else home()) / kind


@contextmanager
def scratch() -> Iterator[None]:
    """Let `cache` lie in a folder that is removed at the end of the block, for a rehearsal that leaves no trace."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _scratch.append(Path(folder))
        try:
            yield
        finally:
            _scratch.pop()


@contextmanager
def without_network(wanted: bool = True) -> Iterator[None]:
    """Switch the network off for the block where that is wanted, for callers that were asked so in Python."""
    _silences.append(wanted)
    try:
        yield
    finally:
        _silences.pop()


def offline() -> bool:
    """Say whether the user has switched the network off (`AJ_OFFLINE`, `--offline`, `HF_HUB_OFFLINE`)."""
    names = ("AJ_OFFLINE", "HF_HUB_OFFLINE")
    return any(_silences) or any(
        os.environ.get(name, "").lower() not in ("", "0", "false", "no", "off") for name in names
    )


def pocket_models() -> dict[str, Path]:
    """Return the models that come with the package, `pocket/<name>` to folder, in alphabetical order."""
    return {f"pocket/{config.parent.name}": config.parent for config in sorted(POCKET.glob("*/config.yaml"))}


def resolve_model(name: str) -> Path:
    """Return the folder of a model, fetching it when it is published and not here yet.

    Args:
        name: `pocket` or `pocket/<name>`, a folder, a training run, a name in `PUBLISHED`, or a Hub id.

    Raises:
        MissingError: nothing of that name can be had.
    """
    shipped = pocket_models()
    wanted = DEFAULT_MODEL if name == "pocket" else name
    if wanted in shipped:
        return shipped[wanted]
    path = Path(name).expanduser()
    if _is_path(name) or (name and path.exists()):
        return _model_folder(path)
    if name in PUBLISHED:
        return fetch(PUBLISHED[name].repo, PUBLISHED[name].files, name=name)
    if name.startswith("pocket") or not _HUB_ID.match(name):
        raise MissingError(f"There is no model {name!r}.", offer(name, [*shipped, *PUBLISHED]))
    return fetch(name)


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1


def _model_folder(path: Path) -> Path:
    if not path.exists():
        raise MissingError(f"There is no model folder {str(path)!r}.")
    for folder in (path / "final", path):
        if any((folder / marker).is_file() for marker in MARKERS) or any(folder.glob("*.ckpt")):
            return folder
    raise MissingError(f"{str(path)!r} holds no model (none of {', '.join(MARKERS)}).")


def fetch(
    repo: str, files: tuple[str, ...] | None = None, revision: str | None = None, name: str | None = None
) -> Path:
    """Return the local folder of a Hub repository: from the cache, else by one download.

    Args:
        repo: Hub id, `owner/name`.
        files: the files wanted; None means all that are safe to load.
        revision: branch, tag or commit.
        name: what the user calls it, for messages.

    Raises:
        MissingError: not in the cache, and the network is off, dead, or has no such repository.
    """
    from huggingface_hub import snapshot_download

    download = partial(
        snapshot_download,
        repo,
        revision=revision,
        allow_patterns=list(files) if files else None,
        ignore_patterns=None if files else _FOREIGN,
        cache_dir=home() / "hub" if os.environ.get("AJ_HOME") else None,
    )
    try:
        folder = Path(download(local_files_only=True))
        if all((folder / name).is_file() for name in files or ()):
            return folder
    except (OSError, ValueError):
        pass
    if offline() or not reachable():
        reason = "the network is switched off" if offline() else "the network cannot be reached"
        raise MissingError(
            f"The weights {name or repo!r} are not on this machine and {reason}.",
            f"Run `aj models pull {name or repo}` where there is a network, or name a model folder.",
        )
    try:
        return Path(download())
    except (OSError, ValueError) as error:
        raise MissingError(
            f"The weights {name or repo!r} cannot be fetched: {_reason(error)}.", _next_step(error)
        ) from error


def reachable(url: str | None = None) -> bool:
    """Say within `PROBE_S` whether a host, the Hub by default, answers: its own retries would take most of a minute."""
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True  # a proxy must be asked in its own way
    endpoint = urlsplit(url or os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    address = (endpoint.hostname or "", endpoint.port or (80 if endpoint.scheme == "http" else 443))
    answers: list[bool] = []

    def probe() -> None:
        """Try to connect, and note an answer."""
        try:
            socket.create_connection(address, timeout=PROBE_S).close()
            answers.append(True)
        except OSError:
            pass

    # In a thread of its own, since looking up a name knows no time limit.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_S)
    return bool(answers)


def _chain(error: BaseException) -> list[str]:
    """Return the class names of an error and its causes; the HTTP library below changes, its names do not."""
    names: list[str] = []
    current: BaseException | None = error
    while current is not None:
        names.append(type(current).__name__)
        current = current.__cause__ or current.__context__
    return names


def _reason(error: BaseException) -> str:
    names = _chain(error)
    if "GatedRepoError" in names:
        return "its owners ask you to accept their terms first"
    if "RepositoryNotFoundError" in names:
        return "the Hub has no such repository, or it is private"
    if "RevisionNotFoundError" in names:
        return "the repository has no such revision"
    if "HFValidationError" in names:
        return "that is no valid Hub id"
    if any(name.startswith("Connect") or name.endswith("Timeout") for name in names):
        return "the network cannot be reached"
    return " ".join(str(error).split()) or type(error).__name__


def _next_step(error: BaseException) -> str:
    if "GatedRepoError" in _chain(error):
        return "Accept them on the Hub, set HF_TOKEN, and try again."
    return "Check the name and the network, or name a model folder."
