"""Schedules by name, so that a configuration file can ask for one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from audiojourney.diffusion.flow import FlowSchedule
from audiojourney.diffusion.path import Schedule
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import UsageError
from audiojourney.registry import offer

SCHEDULES: Mapping[str, Callable[..., Schedule]] = {
    "scaled_linear": NoiseSchedule.scaled_linear,
    "linear": NoiseSchedule.linear,
    "cosine": NoiseSchedule.cosine,
    "flow": FlowSchedule,
}


def build_schedule(kind: str, options: Mapping[str, float | bool | str] | None = None) -> Schedule:
    """Build a schedule from its name and the options of its constructor.

    Args:
        kind: a name in `SCHEDULES`.
        options: keyword arguments of that constructor, such as {"delta": 0.008, "zero_terminal_snr": True}.

    Raises:
        UsageError: the name or an option is unknown.
    """
    if kind not in SCHEDULES:
        raise UsageError(f"There is no noise schedule {kind!r}.", offer(kind, SCHEDULES))
    known = inspect.signature(SCHEDULES[kind]).parameters
    for name in options or {}:
        if name not in known:
            raise UsageError(f"The schedule {kind!r} has no option {name!r}.", offer(name, known))
    return SCHEDULES[kind](**(options or {}))
