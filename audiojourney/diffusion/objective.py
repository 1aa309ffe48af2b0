"""What a network is trained to predict, and how the predictions turn into each other.

All four targets are linear in the clean signal x0 and the noise, on any path x_t = alpha * x0 + sigma * noise:

    epsilon   noise                          Ho et al. 2020, equation 14
    x0        x0                             Ho et al. 2020, section 3.2
    v         alpha * noise - sigma * x0     Salimans and Ho, "Progressive Distillation" (2022), appendix D
    flow      noise - x0                     Liu et al., "Flow Straight and Fast" (2022), equation 1, with time reversed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from audiojourney.diffusion.path import Schedule
from audiojourney.errors import UsageError

PREDICTIONS = ("epsilon", "v", "x0", "flow")
Weight = TypeVar("Weight", float, Tensor)


def check_prediction(prediction: str) -> str:
    """Return `prediction`, or say which ones exist.

    Raises:
        UsageError: it is not one of `PREDICTIONS`.
    """
    if prediction not in PREDICTIONS:
        raise UsageError(f"Unknown prediction type {prediction!r}.", f"Known types: {', '.join(PREDICTIONS)}.")
    return prediction


def predicted_x0(prediction: str, output: Tensor, x: Tensor, alpha: Weight, sigma: Weight) -> Tensor:
    """Return the clean signal that a network output stands for; nothing is clamped.

    Args:
        prediction: one of `PREDICTIONS`.
        output: what the network said, shape (B, ...).
        x: what it was shown, shape (B, ...).
        alpha: weight of the signal, a float or a tensor that broadcasts; not 0 for "epsilon".
        sigma: weight of the noise, likewise.
    """
    if check_prediction(prediction) == "x0":
        return output
    if prediction == "epsilon":
        return (x - sigma * output) / alpha
    if prediction == "v":
        power = alpha * alpha + sigma * sigma
        return (alpha / power) * x - (sigma / power) * output
    return (x - sigma * output) / (alpha + sigma)


def predicted_epsilon(prediction: str, output: Tensor, x: Tensor, alpha: Weight, sigma: Weight) -> Tensor:
    """Return the noise that a network output stands for.

    Args:
        prediction: one of `PREDICTIONS`.
        output: what the network said, shape (B, ...).
        x: what it was shown, shape (B, ...).
        alpha: weight of the signal, a float or a tensor that broadcasts.
        sigma: weight of the noise, likewise; not 0 for "x0".
    """
    if check_prediction(prediction) == "epsilon":
        return output
    if prediction == "x0":
        return (x - alpha * output) / sigma
    if prediction == "v":
        power = alpha * alpha + sigma * sigma
        return (sigma / power) * x + (alpha / power) * output
    return (x + alpha * output) / (alpha + sigma)


@dataclass(frozen=True)
class Objective:
    """A prediction type on a schedule: targets, conversions, loss weights and the loss.

    Attributes:
        prediction: one of `PREDICTIONS`.
        schedule: gives alpha and sigma at each time.
    """

    prediction: str
    schedule: Schedule

    def __post_init__(self) -> None:
        check_prediction(self.prediction)

    def noisy(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Return x_t = alpha_t * x0 + sigma_t * noise for signals (B, ...) and times (B,), shape (B, ...)."""
        alpha, sigma = self._weights(t, x0)
        return (alpha * x0 + sigma * noise).to(x0.dtype)

    def target(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Return what the network should say, shape (B, ...), for signals and noise (B, ...) and times (B,)."""
        if self.prediction == "epsilon":
            return noise
        if self.prediction == "x0":
            return x0
        if self.prediction == "flow":
            return noise - x0
        alpha, sigma = self._weights(t, x0)
        return (alpha * noise - sigma * x0).to(x0.dtype)

    def to_x0(self, output: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the clean signal that an output means, all of shape (B, ...), t of shape (B,)."""
        return predicted_x0(self.prediction, output, x_t, *self._weights(t, x_t)).to(x_t.dtype)

    def to_epsilon(self, output: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the noise that an output means, all of shape (B, ...), t of shape (B,)."""
        return predicted_epsilon(self.prediction, output, x_t, *self._weights(t, x_t)).to(x_t.dtype)

    def snr_weight(self, t: Tensor, gamma: float = 5.0, *, as_tango: bool = False) -> Tensor:
        """Return the min-SNR-gamma weight of the squared error at times (B,), shape (B,), float32.

        Hang et al., "Efficient Diffusion Training via Min-SNR Weighting Strategy" (2023), section 3.4: the error of
        x0 weighs min(SNR, gamma). The other targets weigh that times (d x0 / d output)^2, so that all of them
        describe one and the same loss: min(SNR, gamma) / SNR for epsilon and min(SNR, gamma) / (SNR + 1) for v.

        Args:
            t: times, shape (B,).
            gamma: where the weight stops to grow with the SNR.
            as_tango: divide by SNR whatever the target, as Tango does for v too; kept to reproduce its losses.
        """
        log_snr = self.schedule.log_snr(t, torch.float64 if t.device.type != "mps" else torch.float32)
        snr = log_snr.exp()
        alpha, sigma = self.schedule.alpha(t, snr.dtype), self.schedule.sigma(t, snr.dtype)
        if as_tango or self.prediction == "epsilon":
            # min(SNR, gamma) / SNR, written so that it is 1 and not 0 / 0 at pure noise.
            return (gamma / snr).clamp(max=1).float()
        weight = snr.clamp(max=gamma)
        if self.prediction == "v":
            weight = weight * (sigma / (alpha**2 + sigma**2)) ** 2
        if self.prediction == "flow":
            weight = weight * (sigma / (alpha + sigma)) ** 2
        return weight.float()

    def loss(
        self,
        output: Tensor,
        x0: Tensor,
        noise: Tensor,
        t: Tensor,
        *,
        gamma: float | None = None,
        as_tango: bool = False,
    ) -> Tensor:
        """Return the mean squared error of each row in float32, shape (B,).

        Args:
            output: what the network said, shape (B, ...).
            x0: clean signals, shape (B, ...).
            noise: what was mixed in, shape (B, ...).
            t: times, shape (B,).
            gamma: min-SNR bound; None weighs all times alike.
            as_tango: see `snr_weight`.
        """
        error = (output.float() - self.target(x0, noise, t).float()).square().flatten(1).mean(1)
        return error if gamma is None else error * self.snr_weight(t, gamma, as_tango=as_tango).to(error.device)

    def _weights(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return alpha and sigma at least in float32, shaped to broadcast against `like`."""
        dtype = torch.promote_types(like.dtype, torch.float32)
        shape = (-1, *[1] * (like.ndim - 1))
        alpha, sigma = self.schedule.alpha(t, dtype), self.schedule.sigma(t, dtype)
        return alpha.to(like.device).view(shape), sigma.to(like.device).view(shape)
