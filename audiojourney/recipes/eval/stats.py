"""Mean and spread of the embeddings of a set in a file, so that a reference is heard once and can be handed on."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiojourney import files
from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.conventions import Convention
from audiojourney.metrics.frechet import Gaussian
from audiojourney.recipes.eval.networks import Network

_MARK = "aj_stats"
VERSION = 1


@dataclass(frozen=True)
class Statistics:
    """Gaussians of one set.

    Attributes:
        gaussians: by network and kind, such as ("vggish", "fad").
        weights: SHA-256 of the weights of each network.
        convention: how sounds were prepared.
        clips: how many were heard.
        source: the set, as it was named.
    """

    gaussians: Mapping[tuple[str, str], Gaussian]
    weights: Mapping[str, str]
    convention: str
    clips: int
    source: str

    def of(self, network: Network, convention: Convention) -> dict[str, Gaussian]:
        """Return the Gaussians by kind that can be compared with what `network` hears under `convention`.

        Raises:
            UsageError: the file was made by other weights, or under another convention.
        """
        name = network.embedder.name
        if name not in self.weights:
            return {}
        if self.weights[name] != network.sha256:
            told = f"by weights {self.weights[name][:12]} of {name}, and here are {network.sha256[:12]}"
            raise UsageError(f"The reference statistics were made {told}.")
        if self.convention != convention.name:
            raise UsageError(
                f"The reference statistics follow the convention {self.convention!r}, not {convention.name!r}.",
                f"Add --convention {self.convention}.",
            )
        return {kind: gaussian for (network_name, kind), gaussian in self.gaussians.items() if network_name == name}


def write_statistics(path: Path, statistics: Statistics) -> None:
    """Write a `.npz` file, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    for (network, kind), gaussian in statistics.gaussians.items():
        arrays[f"{network}/{kind}/mean"], arrays[f"{network}/{kind}/factor"] = gaussian.mean, gaussian.factor
    told = {
        _MARK: VERSION,
        "sets": [[network, kind, gaussian.rows] for (network, kind), gaussian in statistics.gaussians.items()],
        "weights": dict(statistics.weights),
        "convention": statistics.convention,
        "clips": statistics.clips,
        "source": statistics.source,
    }
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array(json.dumps(told)), **arrays)  # type: ignore[arg-type]
    files.write_bytes(path, buffer.getvalue())


def read_statistics(path: Path) -> Statistics:
    """Read what `write_statistics` wrote.

    Raises:
        MissingError: there is no such file.
        UsageError: it holds something else.
    """
    if not path.is_file():
        raise MissingError(f"There is no file of statistics {str(path)!r}.", "Write one with: aj eval ... --save-stats")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            told = json.loads(str(loaded["about"]))
            gaussians = {
                (network, kind): Gaussian(loaded[f"{network}/{kind}/mean"], loaded[f"{network}/{kind}/factor"], rows)
                for network, kind, rows in told["sets"]
            }
            _check(gaussians)
            return Statistics(gaussians, told["weights"], told["convention"], told["clips"], told["source"])
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"{str(path)!r} holds no statistics ({error}).", "Write it with: aj eval --save-stats"
        ) from error


def _check(gaussians: Mapping[tuple[str, str], Gaussian]) -> None:
    """Raise ValueError where a mean and a factor are not those of a set of rows."""
    for (network, kind), gaussian in gaussians.items():
        mean, factor, rows = gaussian.mean, gaussian.factor, gaussian.rows
        if mean.ndim != 1 or factor.ndim != 2 or factor.shape[1] != len(mean) or not isinstance(rows, int) or rows < 2:
            raise ValueError(f"{kind} by {network}: mean {mean.shape}, factor {factor.shape}, {rows} rows")
        if not (np.isfinite(mean).all() and np.isfinite(factor).all()):
            raise ValueError(f"{kind} by {network} has numbers that are not finite")
