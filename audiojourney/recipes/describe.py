"""What a sound file or a model says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiojourney import hub, model_folder
from audiojourney.errors import MissingError


def describe(name: str) -> dict[str, Any]:
    """Describe a sound file, or else a model by name or folder, as a table ready for JSON.

    Raises:
        MissingError: there is neither such a file nor such a model.
        ClipError: the file is no sound that can be read.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return _sound(path)
    if path.suffix and not path.exists() and name not in hub.PUBLISHED:
        raise MissingError(f"There is no file or model {name!r}.")
    return describe_model(name)


def describe_model(name: str) -> dict[str, Any]:
    """Describe a model: where it lies, how large it is, who allows what, how it was made, what it is built from.

    Raises:
        MissingError: there is no such model.
    """
    folder = hub.resolve_model(name)
    settings = model_folder.read_config(folder) if (folder / model_folder.CONFIG).is_file() else {}
    provenance = model_folder.read_provenance(folder)
    return {
        "what": "model",
        "name": name,
        "folder": str(folder),
        "size_mb": size_mb(folder),
        "license": licence(name, folder),
        "sha256": model_folder.fingerprint(folder),
        "settings": settings,
        "provenance": provenance,
    }


def list_models() -> list[dict[str, Any]]:
    """Describe in short the models that come with the package and those that others have published."""
    shipped = [
        {
            "name": name,
            "kind": str(model_folder.read_config(folder).get("kind", "")),
            "where": "shipped",
            "size_mb": size_mb(folder),
            "license": licence(name, folder),
        }
        for name, folder in hub.pocket_models().items()
    ]
    published = [
        {"name": name, "kind": entry.kind, "where": entry.repo, "size_mb": None, "license": entry.licence}
        for name, entry in hub.PUBLISHED.items()
    ]
    return [*shipped, *published]


def licence(name: str, folder: Path) -> str:
    """Return what the owners of a model allow, or "unknown"."""
    if name in hub.PUBLISHED:
        return hub.PUBLISHED[name].licence
    provenance = model_folder.read_provenance(folder)
    return str(provenance.get("licence") or provenance.get("license") or "unknown")


def size_mb(folder: Path) -> float:
    """Return the size of all files in a folder in megabytes."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 3)


def _sound(path: Path) -> dict[str, Any]:
    from audiojourney.data.audio import probe
    from audiojourney.data.write import read_tag

    info = probe(path)
    return {
        "what": "sound",
        "path": str(path),
        "format": f"{info.container} {info.codec}",
        "rate_hz": info.rate_hz,
        "channels": info.channels,
        "duration_s": info.duration_s,
        "size_bytes": info.size_bytes,
        "made": read_tag(path),
    }
