"""`aj doctor`: is everything there, and does it load?"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from audiojourney import __version__, files, hub
from audiojourney.errors import AudioJourneyError, MissingError, require

# Module and the package that brings it, where their names differ.
NEEDED = {
    "torch": "torch",
    "numpy": "numpy",
    "transformers": "transformers",
    "diffusers": "diffusers",
    "accelerate": "accelerate",
    "safetensors": "safetensors",
    "huggingface_hub": "huggingface-hub",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "typer": "typer",
    "rich": "rich",
    "yaml": "PyYAML",
}
# Never needed, but these spoil transformers when they are there and do not load.
NEIGHBOURS = ("torchvision", "torchaudio", "torchcodec")
EXTRAS = {"av": "av", "datatrove": "scale", "matplotlib": "plot", "pyarrow": "parquet", "tensorboard": "tensorboard"}


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        status: `ok`, `absent` (and not needed), or `broken`.
        detail: a version, a figure, or what is wrong and what to do.
    """

    name: str
    status: str
    detail: str


def examine() -> list[Check]:
    """Look at the interpreter, every package by loading it, the devices, the shipped models and the cache."""
    found = [
        Check("audiojourney", "ok", __version__),
        Check("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
    ]
    # The neighbours first: when one is broken, transformers breaks for its sake and should not get the blame.
    found += [_package(name, name, cure=f"it is not needed: pip uninstall {name}") for name in NEIGHBOURS]
    found += [_package(name, package, needed=True) for name, package in NEEDED.items()]
    found += [_package(name, name, cure=f'pip install "audiojourney[{extra}]"') for name, extra in EXTRAS.items()]
    return [*found, *_devices(), _pocket(), _cache(), Check("network", "ok", "off" if hub.offline() else "allowed")]


def _package(module: str, package: str, *, needed: bool = False, cure: str = "install it again") -> Check:
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if needed:
            return Check(package, "broken", f'absent; pip install "{package}"')
        return Check(package, "absent", "not needed")
    fault = _fault(module)
    return (
        Check(package, "broken", f"{version} does not load ({fault}); {cure}")
        if fault
        else Check(package, "ok", version)
    )


def _fault(module: str) -> str | None:
    """Return the first line of what importing a module raises; broken binaries raise far more than ImportError."""
    try:
        require(module, extra="", feature="aj doctor")
    except MissingError as error:
        return (str(error.__cause__).splitlines() or [type(error.__cause__).__name__])[0]
    return None


def _devices() -> Iterator[Check]:
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return
    capability = torch.backends.cpu.get_cpu_capability()
    yield Check("cpu", "ok", f"{torch.get_num_threads()} threads of {os.cpu_count()} cores, {capability}")
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        yield Check(f"cuda:{index}", "ok", f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB")
    if not torch.cuda.is_available():
        yield Check("cuda", "absent", "not needed")


def _pocket() -> Check:
    names = list(hub.pocket_models())
    if hub.DEFAULT_MODEL not in names:
        return Check("pocket models", "broken", f"{hub.DEFAULT_MODEL} is absent; install the package again")
    return Check("pocket models", "ok", ", ".join(names))


def _cache() -> Check:
    try:
        files.check_folder(hub.home())
    except AudioJourneyError as error:
        return Check("cache", "broken", f"{error.message} Set AJ_HOME to another folder.")
    return Check("cache", "ok", str(hub.home()))
