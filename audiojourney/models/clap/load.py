"""Opens scorers by name: the shipped one, CLAPs of the Hub, checkpoints of LAION, the package `laion-clap`."""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from audiojourney import config, hub
from audiojourney.data.mel import CLAP as CLAP_MEL
from audiojourney.data.mel import MelConfig
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.clap.network import CLAP_SECONDS, Clap
from audiojourney.models.clap.scorer import ClapOptions, ClapScorer, EmbeddingScorer
from audiojourney.models.genau.published import locate
from audiojourney.models.genau.state import read_state
from audiojourney.models.transformers_parts import read_pretrained, read_tokenizer, transformers_class
from audiojourney.registry import offer

if TYPE_CHECKING:
    from audiojourney.models.clap.package import PackageScorer

DEFAULT = "laion/clap-htsat-unfused"
FUSED = ("laion/clap-htsat-fused",)
PACKAGE = "laion-clap:"
LAION = {name: entry for name, entry in hub.PUBLISHED.items() if entry.kind == "clap"}
LONGEST_TEXT = 77  # word pieces; LAION's training cut captions here
_CHECKPOINTS = (".pt", ".ckpt", ".bin", ".safetensors")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_FUSING = "A CLAP with fusion ({}) is not supported: it looks at several crops of a long sound, drawn at random."
_UNFUSED = f"Use an unfused one, such as {DEFAULT} or 630k-audioset, or {PACKAGE}CHECKPOINT."


def load_scorer(
    name: str, device: str = "cpu", dtype: str = "fp32", options: ClapOptions | None = None
) -> EmbeddingScorer:
    """Open a scorer.

    Args:
        name: `pocket` or a folder of its kind; `clap` or the Hub id or folder of a CLAP of transformers; a name in
            `LAION` or the path of such a checkpoint; `laion-clap:CHECKPOINT` for the package of that name.
        device: torch device, or `auto`.
        dtype: `fp32`, `bf16` or `fp16`.
        options: cropping, batches, memory; the shipped scorer has its own.

    Raises:
        MissingError: it is not on this machine and cannot be had, or the package is absent.
        UsageError: the model fuses crops, or is no CLAP.
    """
    options = options or ClapOptions()
    if is_pocket(name):
        module = importlib.import_module("audiojourney.models.pocket.scorer")
        return cast(EmbeddingScorer, module.load_pocket_scorer("pocket/clap" if name == "pocket" else name, device))
    if name.startswith(PACKAGE):
        return _package_scorer(name.removeprefix(PACKAGE), device, options)
    file = _checkpoint(name)
    if file is not None:
        tokenizer = read_tokenizer(locate("roberta-base", file.parent))
        clap = Clap.from_laion(read_state(file), tokenizer, longest=LONGEST_TEXT)
        return ClapScorer(clap, f"{file.name}@{file_hash(file)}", device, dtype, options)
    name = DEFAULT if name == "clap" else name
    if name in FUSED:
        raise UsageError(_FUSING.format(name), _UNFUSED)
    if "/" not in name and not Path(name).expanduser().exists():
        raise MissingError(f"There is no scorer {name!r}.", offer(name, ["pocket", "clap", *LAION]))
    folder = hub.resolve_model(name)
    return ClapScorer(open_folder(folder), f"{_label(name)}@{folder_hash(folder)}", device, dtype, options)


def is_pocket(name: str) -> bool:
    """Say whether a name means the scorer that comes with the package, or a folder of its kind."""
    settings = Path(name).expanduser() / "config.yaml"
    return name.partition("/")[0] == "pocket" or (settings.is_file() and "kind" in config.load_yaml(settings))


def open_folder(folder: Path) -> Clap:
    """Open a CLAP as transformers keeps it: settings, weights, tokenizer, and the settings of its spectrogram.

    Raises:
        MissingError: files are absent, or weights are missing in them.
        UsageError: the model is no CLAP, or fuses crops.
    """
    settings = _json(folder / "config.json")
    if settings.get("model_type") != "clap":
        raise UsageError(f"{str(folder)!r} holds a {settings.get('model_type')!r} model, not a CLAP.")
    if settings.get("audio_config", {}).get("enable_fusion"):
        raise UsageError(_FUSING.format(folder.name), _UNFUSED)
    kind = transformers_class("models.clap.modeling_clap", "ClapModel")
    model, report = read_pretrained(kind, folder, "CLAP", output_loading_info=True)
    missing = [key for key in report["missing_keys"] if not key.endswith(("position_ids", "relative_position_index"))]
    if missing:
        raise MissingError(f"The CLAP in {str(folder)!r} lacks {len(missing)} tensors, such as {sorted(missing)[0]}.")
    mel, seconds = front_end(folder)
    return Clap(model, read_tokenizer(folder), longest=LONGEST_TEXT, mel=mel, seconds=seconds)


def front_end(folder: Path) -> tuple[MelConfig, int]:
    """Return the spectrogram that a CLAP in `folder` was trained on, and the seconds it hears; LAION's where unsaid."""
    said: dict[str, Any] = {}
    if (folder / "preprocessor_config.json").is_file():
        said = _json(folder / "preprocessor_config.json")
    elif (folder / "processor_config.json").is_file():
        said = _json(folder / "processor_config.json").get("feature_extractor", {})
    fft = said.get("fft_window_size", CLAP_MEL.n_fft)
    mel = replace(
        CLAP_MEL,
        rate_hz=said.get("sampling_rate", CLAP_MEL.rate_hz),
        n_fft=fft,
        win_length=fft,
        pad=fft // 2,
        hop_length=said.get("hop_length", CLAP_MEL.hop_length),
        n_mels=said.get("feature_size", CLAP_MEL.n_mels),
        f_min_hz=said.get("frequency_min", CLAP_MEL.f_min_hz),
        f_max_hz=said.get("frequency_max", CLAP_MEL.f_max_hz),
    )
    return mel, said.get("max_length_s", CLAP_SECONDS)


def file_hash(path: Path) -> str:
    """Return the first twelve digits of the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def folder_hash(folder: Path) -> str:
    """Return the hash of the weights in a folder of transformers; of those that are read where there are several."""
    found = [folder / name for name in _WEIGHTS if (folder / name).is_file()]
    return file_hash(found[0]) if found else ""


def _package_scorer(checkpoint: str, device: str, options: ClapOptions) -> PackageScorer:
    from audiojourney.models.clap.package import PackageScorer

    file = _checkpoint(checkpoint, fusing=True)
    if file is None:
        raise UsageError(f"{PACKAGE}{checkpoint} names no checkpoint.", f"Known: {', '.join(LAION)}; or a path.")
    return PackageScorer(file, f"{PACKAGE}{file.name}@{file_hash(file)}", device, options)


def _checkpoint(name: str, fusing: bool = False) -> Path | None:
    """Return the checkpoint of LAION that a name stands for, fetching it where it must be; None for other names."""
    path = Path(name).expanduser()
    if path.suffix in _CHECKPOINTS and path.is_file():
        return path
    for short, entry in LAION.items():
        (file,) = entry.files
        if name in (short, file, file.removesuffix(".pt")):
            return hub.fetch(entry.repo, (file,), name=short) / file
    if "fusion" in path.name and path.parent == Path():
        if not fusing:
            raise UsageError(_FUSING.format(name), _UNFUSED)
        file = f"{path.name.removesuffix('.pt')}.pt"
        return hub.fetch(LAION["630k"].repo, (file,), name=name) / file
    if path.suffix in _CHECKPOINTS:
        raise MissingError(f"There is no checkpoint {name!r}.", f"Known: {', '.join(LAION)}; or a path.")
    return None


def _label(name: str) -> str:
    """Return a Hub id as it is, and of a folder its last part: where it lies says nothing of the model."""
    path = Path(name).expanduser()
    return path.resolve().name if path.exists() else name


def _json(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingError(f"{str(path.parent)!r} holds no CLAP: {path.name} is absent.") from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is no JSON ({error}).") from error
    return loaded if isinstance(loaded, dict) else {}
