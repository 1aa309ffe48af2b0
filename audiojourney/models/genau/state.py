"""Tensors of published checkpoints: read without running code, unwrap, fold, and put into modules key by key."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audiojourney.errors import AudioJourneyError, MissingError, UsageError

State = dict[str, Tensor]

WRAPPERS = ("_orig_mod.", "module.")  # what torch.compile and distributed training put in front of names
CONTAINERS = ("state_dict", "generator", "model")  # keys under which checkpoints keep their tensors


def read_state(path: Path) -> State:
    """Return the tensors of a `.ckpt`, `.pt`, `.bin` or `.safetensors` file by name, on the CPU.

    Pickled files are opened with `weights_only`, which refuses to run code; plain numbers of numpy, which
    training programs leave beside their tensors, are let through. Tensors stay on disk until used where the file's
    format allows that.

    Raises:
        MissingError: there is no such file.
        UsageError: the file holds other pickled objects, or no tensors at all.
        AudioJourneyError: the file is damaged.
    """
    if not path.is_file():
        raise MissingError(f"The checkpoint {str(path)!r} is absent.")
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return unwrapped(load_file(path))
    try:
        with torch.serialization.safe_globals(_numbers_of_numpy()):
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise UsageError(
            f"The checkpoint {str(path)!r} holds pickled objects besides tensors ({_refused(error)}), "
            "which are not loaded because that can run code.",
            "Open it where you trust it and save its 'state_dict' alone.",
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        raise AudioJourneyError(f"The checkpoint {str(path)!r} cannot be read ({error}).", "Fetch it again.") from error
    return unwrapped(_tensors(loaded, path))


def unwrapped(state: State) -> State:
    """Return the tensors under names without `_orig_mod.` anywhere and without a leading `module.`."""
    compiled, parallel = WRAPPERS
    return {name.replace(compiled, "").removeprefix(parallel): tensor for name, tensor in state.items()}


def under(state: State, prefix: str) -> State:
    """Return the tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def fold_weight_norm(state: State) -> State:
    """Replace direction and length of weight-normalised layers by the weight they stand for.

    The weight is g * v / |v|, the norm being taken over all axes but the first; for transposed convolutions the first
    axis is that of the inputs. Both spellings of torch (`weight_g`, `weight_v` and `parametrizations`) are known.
    """
    folded = dict(state)
    for length, direction in (
        ("weight_g", "weight_v"),
        ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ):
        for name in [name for name in folded if name.endswith(f".{direction}")]:
            layer = name.removesuffix(direction)
            if layer + length not in folded:
                raise MissingError(f"The checkpoint has {name!r} but not {layer + length!r}.")
            g, v = folded.pop(layer + length), folded.pop(name)
            folded[f"{layer}weight"] = v * (g / v.flatten(1).norm(dim=1).view_as(g))
    return folded


def fill(module: nn.Module, state: State, what: str, *, optional: Iterable[str] = ()) -> None:
    """Put `state` into `module`, which must agree name by name and shape by shape; values become float32.

    The tensors take the place of the module's own, so a module on the meta device costs no memory twice.

    Args:
        module: the network.
        state: tensors by name.
        what: the network in words, for messages.
        optional: last parts of names that the state may lack; the module keeps its own values there.

    Raises:
        MissingError: tensors are missing; the first of them are named.
        UsageError: tensors are left over or have another shape; the first of them are named.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in state and name.rsplit(".", 1)[-1] not in tuple(optional)]
    if missing:
        raise MissingError(f"The checkpoint of the {what} lacks {_some(missing)}.", "Is it a checkpoint of this model?")
    extra = [name for name in state if name not in own]
    if extra:
        raise UsageError(f"The checkpoint of the {what} has tensors that fit nowhere: {_some(extra)}.")
    wrong = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in state
        if state[name].shape != own[name].shape
    ]
    if wrong:
        raise UsageError(f"The checkpoint of the {what} has other sizes: {_some(wrong)}.")
    values = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    module.load_state_dict(values, strict=False, assign=True)


def _numbers_of_numpy() -> list[Any]:
    """Return what unpickling a numpy number needs, under the names of numpy 1 and 2. None of it runs code of a file."""
    scalar = np.float64(0).__reduce__()[0]
    names = [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [*names, np.dtype, *(type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "bool"))]


def _tensors(loaded: object, path: Path) -> State:
    for container in CONTAINERS:
        if isinstance(loaded, dict) and isinstance(loaded.get(container), dict):
            loaded = loaded[container]
    tensors = {k: v for k, v in loaded.items() if isinstance(v, Tensor)} if isinstance(loaded, dict) else {}
    if not tensors:
        raise UsageError(f"The checkpoint {str(path)!r} holds no tensors by name.")
    return tensors


def _refused(error: Exception) -> str:
    """Return the part of the message of torch that names the refused object."""
    lines = [line.strip() for line in str(error).splitlines() if "Unsupported" in line or "GLOBAL" in line]
    return (lines or [type(error).__name__])[0][:200]


def _some(names: list[str], shown: int = 4) -> str:
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + rest
