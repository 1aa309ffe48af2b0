"""Model folders: `config.yaml`, `model.safetensors`, `provenance.json` and a card. Nothing in them is ever pickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiojourney import config as configuration
from audiojourney import files, hub
from audiojourney.errors import AudioJourneyError, MissingError

if TYPE_CHECKING:
    from torch import Tensor

CONFIG = "config.yaml"
WEIGHTS = "model.safetensors"
PROVENANCE = "provenance.json"
CARD = "README.md"
_HASHED = (".safetensors", ".yaml", ".ckpt", ".pt", ".bin")


def read_config(folder: Path) -> dict[str, Any]:
    """Return the settings that the model in `folder` is built from.

    Raises:
        MissingError: the folder holds no model.
    """
    if not (folder / CONFIG).is_file():
        raise MissingError(f"{str(folder)!r} is no model folder: it has no {CONFIG}.")
    return configuration.load_yaml(folder / CONFIG)


def read_weights(folder: Path, name: str = WEIGHTS) -> dict[str, Tensor]:
    """Return the tensors of a model by name, on the CPU.

    Raises:
        MissingError: there is no such file.
        AudioJourneyError: the file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / name
    if not path.is_file():
        raise MissingError(f"The weights {str(path)!r} are absent.")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise AudioJourneyError(f"The weights {str(path)!r} cannot be read ({error}).", "Fetch them again.") from error


def read_provenance(folder: Path) -> dict[str, Any]:
    """Return how the model was made, or an empty table where the folder does not say."""
    path = folder / PROVENANCE
    if not path.is_file():
        return {}
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AudioJourneyError(f"{str(path)!r} is no JSON ({error}).") from error
    return loaded if isinstance(loaded, dict) else {}


def write_weights(folder: Path, tensors: Mapping[str, Tensor], name: str = WEIGHTS) -> None:
    """Write tensors by name; shared and strided ones are written as copies."""
    from safetensors.torch import save

    files.write_bytes(folder / name, save({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}))


def write_model(
    folder: Path,
    config: Any,
    tensors: Mapping[str, Tensor],
    provenance: Mapping[str, Any] | None = None,
    card: str | None = None,
) -> None:
    """Write a model folder; `config.yaml` comes last, so a folder that has one is complete.

    Args:
        folder: where to; files of an earlier model there are replaced.
        config: dataclass or table that the model is built from.
        tensors: the state of the model.
        provenance: data, recipe, steps, seed, versions, licence.
        card: README of the model, in Markdown.
    """
    (folder / CONFIG).unlink(missing_ok=True)
    write_weights(folder, tensors)
    files.write_json(folder / PROVENANCE, configuration.to_table(dict(provenance or {})))
    if card is not None:
        files.write_text(folder / CARD, card)
    configuration.save(config, folder / CONFIG)


def parts(folder: Path) -> list[Path]:
    """Return a model folder and those of the shipped models that its settings name, each once."""
    shipped = hub.pocket_models()
    found, queue = [], [folder]
    while queue:
        part = queue.pop(0)
        found.append(part)
        settings = configuration.load_yaml(part / CONFIG) if (part / CONFIG).is_file() else {}
        named = [shipped[text] for text in _texts(settings) if text in shipped]
        queue += [path for path in dict.fromkeys(named) if path not in (*found, *queue)]
    return found


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 of the weights and settings of a model, independent of where its folder lies.

    Shipped models that its settings name belong to it.
    """
    digest = hashlib.sha256()
    for part in parts(folder):
        for path in sorted(path for path in part.rglob("*") if path.suffix in _HASHED):
            digest.update(path.relative_to(part).as_posix().encode("utf-8"))
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
