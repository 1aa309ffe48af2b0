"""Which of the training time steps a sampler visits.

Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed" (2023), Table 2, names three spacings; the
fourth one here is that of GenAu. All grids run from noise to sound, so they are decreasing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from audiojourney.errors import UsageError


def trailing(train_steps: int, steps: int) -> list[int]:
    """Return steps counted from the noisy end: T-1, T-1-T/S, ... (Lin et al. 2023, section 3.3)."""
    return [round(train_steps - i * train_steps / steps) - 1 for i in range(steps)]


def leading(train_steps: int, steps: int) -> list[int]:
    """Return multiples of T // S down to 0; the noisiest steps are never visited."""
    return [i * (train_steps // steps) for i in reversed(range(steps))]


def linspace(train_steps: int, steps: int) -> list[int]:
    """Return evenly spread steps that contain both T-1 and 0; a single step is T-1."""
    return [round(train_steps - 1 - i * (train_steps - 1) / max(steps - 1, 1)) for i in range(steps)]


def genau(train_steps: int, steps: int) -> list[int]:
    """Return the list of GenAu, arange(0, T, T // S) + 1 reversed.

    It is longer than S where S does not divide T. Where the stride T // S divides T - 1 (for T = 1000: S > 500, 251 to
    333, 101 to 111, and a few small ones) it leaves the schedule.

    Raises:
        UsageError: the list would contain the step T, which does not exist.
    """
    times = [t + 1 for t in range(0, train_steps, train_steps // steps)]
    if times[-1] >= train_steps:
        raise UsageError(
            f"The spacing 'genau' with {steps} steps reaches time {times[-1]} of a schedule of {train_steps} steps.",
            f"Ask for a number of steps below {train_steps} that divides it, or for another spacing.",
        )
    return times[::-1]


_KINDS: dict[str, Callable[[int, int], list[int]]] = {
    "trailing": trailing,
    "leading": leading,
    "linspace": linspace,
    "genau": genau,
}


@dataclass(frozen=True, kw_only=True)
class Spacing:
    """A rule for the visited time steps and for where the last step ends.

    Attributes:
        kind: one of "trailing", "leading", "linspace", "genau".
        offset: added to every time; Stable Diffusion and Tango use "leading" with 1.
        ends_clean: True when the last step ends at abar = 1 (no noise), False when it ends at abar_0, which is what
            GenAu and the early Stable Diffusion samplers do: their output keeps the noise of the first step.
    """

    kind: str = "trailing"
    offset: int = 0
    ends_clean: bool = True

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise UsageError(f"Unknown spacing {self.kind!r}.", f"Known spacings: {', '.join(_KINDS)}.")

    def times(self, train_steps: int, steps: int) -> list[int]:
        """Return the visited time steps, from noise to sound.

        Args:
            train_steps: length T of the schedule.
            steps: asked number of steps S, in [1, T].

        Raises:
            UsageError: S is out of range, or a time leaves the schedule.
        """
        if not 1 <= steps <= train_steps:
            raise UsageError(f"Cannot take {steps} sampling steps.", f"Ask for 1 to {train_steps} steps.")
        times = [t + self.offset for t in _KINDS[self.kind](train_steps, steps)]
        if times[0] >= train_steps or times[-1] < 0:
            raise UsageError(f"The spacing {self} leaves the schedule: it visits {times[0]} to {times[-1]}.")
        return times


SPACINGS: dict[str, Spacing] = {
    "trailing": Spacing(kind="trailing"),
    "leading": Spacing(kind="leading"),
    "linspace": Spacing(kind="linspace"),
    "genau": Spacing(kind="genau", ends_clean=False),
    "tango": Spacing(kind="leading", offset=1),
}


def find_spacing(spacing: str | Spacing) -> Spacing:
    """Return a spacing by name, or the given one.

    Raises:
        UsageError: no spacing has this name.
    """
    if isinstance(spacing, Spacing):
        return spacing
    if spacing not in SPACINGS:
        raise UsageError(f"Unknown spacing {spacing!r}.", f"Known spacings: {', '.join(SPACINGS)}.")
    return SPACINGS[spacing]
