"""The straight path of rectified flow: x_t = (1 - s) * x_0 + s * noise with s = t / T.

Liu et al., "Flow Straight and Fast" (2022), equation 1, with time reversed so that, as in every other schedule here,
larger times are noisier.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from audiojourney.diffusion.path import Point
from audiojourney.diffusion.timesteps import SPACINGS, Spacing, find_spacing
from audiojourney.errors import UsageError

DRAWS = ("uniform", "logit_normal")


@dataclass(frozen=True, kw_only=True)
class FlowSchedule:
    """A path with continuous times in [0, T]; signal and noise weigh 1 - t / T and t / T.

    Attributes:
        train_steps: the largest time T, pure noise. It only fixes the unit in which networks are told the time.
        shift: above 1 training and sampling spend more time at high noise: s becomes shift * s / (1 + (shift - 1) * s)
            (Esser et al., "Scaling Rectified Flow Transformers", 2024, equation 23).
        draw: how training times fall before the shift, "uniform" or "logit_normal" (Esser et al. 2024, section 3.1,
            with location 0 and scale 1).

    Raises:
        UsageError: an attribute has no meaning.
    """

    train_steps: int = 1000
    shift: float = 1.0
    draw: str = "uniform"

    def __post_init__(self) -> None:
        if self.train_steps < 1 or self.shift <= 0:
            raise UsageError(f"A flow needs train_steps >= 1 and shift > 0, got {self.train_steps} and {self.shift}.")
        if self.draw not in DRAWS:
            raise UsageError(f"Unknown draw of flow times {self.draw!r}.", f"Known draws: {', '.join(DRAWS)}.")

    def alpha(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return 1 - t / T for times (B,), shape (B,)."""
        return 1 - self.sigma(t, dtype)

    def sigma(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return t / T for times (B,), shape (B,)."""
        return t.to(dtype) / self.train_steps

    def log_snr(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return log(alpha^2 / sigma^2) for times (B,), shape (B,); it falls with t."""
        return 2 * (torch.log(self.alpha(t, dtype)) - torch.log(self.sigma(t, dtype)))

    def draw_times(self, batch: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw B training times, float32 of shape (B,), on the device of the generator."""
        device = generator.device if generator is not None else None
        draw = torch.rand if self.draw == "uniform" else torch.randn
        level = draw(batch, generator=generator, device=device)
        level = level if self.draw == "uniform" else level.sigmoid()
        return self.train_steps * self.shift * level / (1 + (self.shift - 1) * level)

    def point(self, t: float) -> Point:
        """Return the place of time t.

        Raises:
            UsageError: t is outside [0, T].
        """
        if not 0 <= t <= self.train_steps:
            raise UsageError(f"A flow over [0, {self.train_steps}] has no time {t}.")
        return Point(float(t), 1 - t / self.train_steps, t / self.train_steps)

    def path(self, steps: int, spacing: str | Spacing = "trailing") -> tuple[Point, ...]:
        """Return the S visited places from pure noise to sound and, last, the clean signal.

        Args:
            steps: number of steps S, at least 1.
            spacing: "trailing" visits 1, 1 - 1/S, ..., 1/S; "linspace" spreads S places over [1/T, 1]; both before the
                shift.

        Raises:
            UsageError: a continuous path has no such spacing.
        """
        rule = find_spacing(spacing)
        if steps < 1:
            raise UsageError(f"Cannot take {steps} sampling steps.", "Ask for 1 or more.")
        if rule == SPACINGS["trailing"]:
            gap = 1 / steps
        elif rule == SPACINGS["linspace"]:
            gap = (1 - 1 / self.train_steps) / max(steps - 1, 1)
        else:
            raise UsageError(f"A flow has no spacing {spacing!r}.", "Use 'trailing' or 'linspace'.")
        visited = [self._shifted(1 - i * gap) for i in range(steps)]
        return tuple(self.point(t) for t in [*visited, 0.0])

    def _shifted(self, level: float) -> float:
        return self.train_steps * (self.shift * level / (1 + (self.shift - 1) * level))
