"""Variance-preserving schedules: how much sound and how much noise there is at each discrete time step.

x_t = alpha_t * x_0 + sigma_t * noise with alpha_t^2 + sigma_t^2 = 1; alpha_t^2 is called abar_t (Ho et al., "Denoising
Diffusion Probabilistic Models", 2020, equation 4). `flow.py` has the straight path of rectified flow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from audiojourney.diffusion.path import Point
from audiojourney.diffusion.timesteps import Spacing, find_spacing
from audiojourney.errors import UsageError


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """A variance-preserving schedule of T discrete steps, kept in float64.

    Args:
        betas: variance added at each step, shape (T,), each in (0, 1].

    Attributes:
        alphas_cumprod: abar_t, the product of 1 - beta up to and including t, shape (T,).

    Raises:
        UsageError: betas are not a vector of values in (0, 1].
    """

    betas: Tensor
    alphas_cumprod: Tensor = field(init=False)
    _log_snr: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        betas = self.betas.to(torch.float64)
        if betas.ndim != 1 or not len(betas) or not bool(((betas > 0) & (betas <= 1)).all()):
            raise UsageError(f"A schedule needs a vector of betas in (0, 1], got shape {tuple(betas.shape)}: {betas}.")
        alphas_cumprod = torch.cumprod(1 - betas, dim=0)
        object.__setattr__(self, "betas", betas)
        object.__setattr__(self, "alphas_cumprod", alphas_cumprod)
        object.__setattr__(self, "_log_snr", alphas_cumprod.log() - torch.log1p(-alphas_cumprod))

    @classmethod
    def scaled_linear(
        cls, train_steps: int = 1000, *, start: float = 0.0015, end: float = 0.0195, zero_terminal_snr: bool = False
    ) -> NoiseSchedule:
        """Build betas that are linear in their square root; the defaults are those of GenAu.

        Args:
            train_steps: number of steps T.
            start: first beta. Tango and Stable Diffusion use 0.00085.
            end: last beta. Tango and Stable Diffusion use 0.012.
            zero_terminal_snr: see `rescaled_to_zero_snr`.
        """
        betas = torch.linspace(start**0.5, end**0.5, train_steps, dtype=torch.float64) ** 2
        return _built(betas, zero_terminal_snr)

    @classmethod
    def linear(
        cls, train_steps: int = 1000, *, start: float = 1e-4, end: float = 0.02, zero_terminal_snr: bool = False
    ) -> NoiseSchedule:
        """Build linear betas (Ho et al. 2020, section 4).

        Args:
            train_steps: number of steps T.
            start: first beta.
            end: last beta.
            zero_terminal_snr: see `rescaled_to_zero_snr`.
        """
        return _built(torch.linspace(start, end, train_steps, dtype=torch.float64), zero_terminal_snr)

    @classmethod
    def cosine(
        cls, train_steps: int = 1000, *, delta: float = 0.008, max_beta: float = 0.999, zero_terminal_snr: bool = False
    ) -> NoiseSchedule:
        """Build abar_t = f(t) / f(0) with f(t) = cos^2((t / T + delta) / (1 + delta) * pi / 2).

        Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models" (2021), equation 17.

        Args:
            train_steps: number of steps T.
            delta: offset that keeps the first betas from vanishing.
            max_beta: upper bound of beta, met only near the noisy end.
            zero_terminal_snr: see `rescaled_to_zero_snr`.
        """
        time = torch.arange(train_steps + 1, dtype=torch.float64) / train_steps
        kept = torch.cos((time + delta) / (1 + delta) * math.pi / 2) ** 2
        return _built((1 - kept[1:] / kept[:-1]).clamp(max=max_beta), zero_terminal_snr)

    def rescaled_to_zero_snr(self) -> NoiseSchedule:
        """Return this schedule with abar_{T-1} = 0 and abar_0 unchanged (Lin et al. 2023, algorithm 1).

        A model of noise cannot be asked anything at pure noise, so this is for v, x0 and flow predictions.
        """
        root = self.alphas_cumprod.sqrt()
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
        abar = root**2
        kept = torch.cat([abar[:1], abar[1:] / abar[:-1]])
        return NoiseSchedule(1 - kept)

    @property
    def train_steps(self) -> int:
        """Number of steps T."""
        return len(self.betas)

    def to(self, device: torch.device | str) -> NoiseSchedule:
        """Return this schedule with its tables on `device`, so that lookups there need no copy."""
        return NoiseSchedule(self.betas.to(device))

    def alpha(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return sqrt(abar_t) for integer times (B,), shape (B,)."""
        return _lookup(self.alphas_cumprod.sqrt(), t, dtype)

    def sigma(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return sqrt(1 - abar_t) for integer times (B,), shape (B,)."""
        return _lookup((1 - self.alphas_cumprod).sqrt(), t, dtype)

    def log_snr(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return log(abar_t / (1 - abar_t)) for integer times (B,), shape (B,); it falls with t."""
        return _lookup(self._log_snr, t, dtype)

    def draw_times(self, batch: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw B times uniformly from 0 .. T-1, int64 of shape (B,), on the device of the generator."""
        device = generator.device if generator is not None else None
        return torch.randint(self.train_steps, (batch,), generator=generator, device=device)

    def point(self, t: float) -> Point:
        """Return the place of integer time t; a negative time is the clean signal.

        Raises:
            UsageError: t is not an integer below T.
        """
        if t != int(t) or t >= self.train_steps:
            raise UsageError(f"A schedule of {self.train_steps} steps has no time {t}.")
        abar = float(self.alphas_cumprod[int(t)]) if t >= 0 else 1.0
        return Point(int(t), math.sqrt(abar), math.sqrt(1 - abar))

    def path(self, steps: int, spacing: str | Spacing = "trailing") -> tuple[Point, ...]:
        """Return the visited places from noise to sound and, last, the place where the path ends.

        Args:
            steps: number of steps S in [1, T].
            spacing: a name in `timesteps.SPACINGS`, or a rule of your own.

        Raises:
            UsageError: the spacing is unknown or leaves the schedule.
        """
        rule = find_spacing(spacing)
        end = -1 if rule.ends_clean else 0
        return tuple(self.point(t) for t in [*rule.times(self.train_steps, steps), end])


def _built(betas: Tensor, zero_terminal_snr: bool) -> NoiseSchedule:
    schedule = NoiseSchedule(betas)
    return schedule.rescaled_to_zero_snr() if zero_terminal_snr else schedule


def _lookup(table: Tensor, t: Tensor, dtype: torch.dtype) -> Tensor:
    if t.is_floating_point():
        raise UsageError(f"A discrete schedule needs integer times, got {t.dtype}.")
    # The cast comes before the move: some devices have no float64.
    return table[t.to(table.device)].to(dtype).to(t.device)
