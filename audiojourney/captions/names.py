"""The captioners by name; none is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiojourney.errors import UsageError
from audiojourney.registry import Registry

if TYPE_CHECKING:
    from audiojourney.captions.base import Captioner

DEFAULT_CAPTIONER = "pocket"

_HERE = "audiojourney.captions"
CAPTIONERS = Registry(
    "captioner",
    {
        "pocket": f"{_HERE}.pocket:build",
        "template": f"{_HERE}.template:build",
        "labels": f"{_HERE}.labels:build",
        "visual": f"{_HERE}.visual:build",
        "autocap": f"{_HERE}.autocap:build",
        "audio-flamingo": f"{_HERE}.flamingo:build",
        "qwen2-audio": f"{_HERE}.qwen:build",
    },
)
# Options that only some of ours have a use for; a captioner of one's own is given whatever is said.
_USERS = {
    "endpoint": ("labels", "visual"),
    "examples": ("labels", "visual"),
    "model": ("pocket", "labels", "visual", "autocap", "audio-flamingo", "qwen2-audio"),
}


@dataclass(frozen=True, kw_only=True)
class CaptionerOptions:
    """What a captioner is built from.

    Attributes:
        model: name, folder or Hub id of its weights; None takes the captioner's own.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: `fp32`, `bf16` or `fp16`.
        offline: never use the network.
        endpoint: address of an OpenAI-compatible server, for captioners that ask a language model.
        examples: file of examples that are shown to a language model; None takes the captioner's own.
        settings: what belongs to one captioner alone, by name; each refuses names that it does not know.
    """

    model: str | None = None
    device: str = "auto"
    dtype: str = "fp32"
    offline: bool = False
    endpoint: str | None = None
    examples: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def build_captioner(name: str, options: CaptionerOptions) -> Captioner:
    """Return the captioner `name`, its weights loaded.

    Raises:
        UsageError: there is none of that name (the nearest is offered), or a setting that it does not know.
        MissingError: its weights, or an extra that it needs, are absent.
    """
    if CAPTIONERS.get(name, "").startswith(f"{_HERE}."):
        _check_use(name, options)
    return CAPTIONERS.load(name)(options)


def _check_use(name: str, options: CaptionerOptions) -> None:
    """Refuse what would be left unused: who gives it means another captioner."""
    for option, users in _USERS.items():
        value = getattr(options, option)
        if value is not None and name not in users:
            told = f"--{option} {str(value)!r} means nothing to the captioner {name!r}."
            raise UsageError(told, f"Leave it out, or take --captioner {' or '.join(users)}.")
