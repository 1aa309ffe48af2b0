"""Numbers of GenAu's networks on weights that a formula gives, kept in `genau.json` beside this file.

Run `python -m tests.golden.genau` from the repository root to write them anew; that is right only when the mathematics
was meant to change.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from audiojourney.diffusion.guidance import guided
from audiojourney.diffusion.samplers import find_sampler
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.models.base import Condition
from audiojourney.models.fit import FIT
from audiojourney.models.fit_config import FITConfig
from audiojourney.models.genau.conditioner import joined
from audiojourney.models.genau.hifigan import HiFiGAN, HiFiGANConfig
from audiojourney.models.genau.pipeline import CarryingDenoiser
from audiojourney.models.genau.vae1d import VAE1d, VAE1dConfig

FILE = Path(__file__).with_suffix(".json")
FIT_SIZES = FITConfig(
    channels=4,
    length=24,
    patch=2,
    group=3,
    patch_width=16,
    latent_width=24,
    latent_count=8,
    context_width=16,
    text_width=6,
    blocks=2,
    local_layers=1,
    global_layers=2,
    dim_head=8,
    dropout=0.1,
)
VAE_SIZES = VAE1dConfig(mel_bins=8, width=32, multipliers=(1, 1, 2), blocks=1, inner_channels=12, latent_channels=4)
VOCODER_SIZES = HiFiGANConfig(mel_bins=8, width=32, block_kernels=(3, 7), dilations=((1, 3), (1, 5)))


def wave_like(shape: tuple[int, ...], seed: float) -> Tensor:
    """Return values in [-1, 1] that look random and are the same everywhere: sin(78.233 i^1.1 + seed)."""
    index = torch.arange(1, torch.Size(shape).numel() + 1, dtype=torch.float64)
    return torch.sin(78.233 * index**1.1 + seed).float().view(shape)


def with_formula_weights(module: nn.Module) -> nn.Module:
    """Fill every parameter; gains stay near one, the rest near the size of fresh weights."""
    with torch.no_grad():
        for number, (name, parameter) in enumerate(module.named_parameters()):
            values = wave_like(tuple(parameter.shape), float(number))
            gain = "gamma" in name or ("norm" in name and name.endswith("weight"))
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 4
            parameter.copy_(1 + 0.2 * values if gain else 1.5 * values / fan_in**0.5)
    return module.eval()


def condition(seed: float) -> Condition:
    """Return the condition of two rows."""
    return Condition(wave_like((2, FIT_SIZES.text_width), seed), dataset_ids=torch.tensor([1, 4]))


def compute() -> dict[str, Tensor]:
    """Return all numbers by name."""
    fit = with_formula_weights(FIT(FIT_SIZES))
    vae = with_formula_weights(VAE1d(VAE_SIZES))
    vocoder = with_formula_weights(HiFiGAN(VOCODER_SIZES))
    x, t, mel = wave_like((2, 4, 24), 1.0), torch.tensor([3, 700]), wave_like((2, 8, 8), 2.0)
    prediction, latents = fit.predict(x, t, condition(5.0))
    again, _ = fit.predict(x, t, condition(5.0), latents, torch.tensor([True, False]))
    prediction.square().mean().backward()
    posterior = vae.posterior(mel)
    steps = iter(range(100))
    sampled = find_sampler("ddim")(
        guided(CarryingDenoiser(fit, 2), condition(5.0), condition(6.0), 3.0, concat=joined),
        x,
        NoiseSchedule.scaled_linear(),
        steps=4,
        prediction="epsilon",
        eta=1.0,
        spacing="genau",
        noise=lambda: wave_like((2, 4, 24), 10.0 + next(steps)),
    )
    gradient = fit.get_parameter("blocks.0.latents_attend_to_patches.to_kv.weight").grad
    assert gradient is not None
    return {
        "fit.prediction": prediction,
        "fit.latents": latents,
        "fit.self_conditioned": again,
        "fit.gradient": gradient[::8],
        "sampler.x_0": sampled,
        "vae.mean": posterior.mean,
        "vae.log_variance": posterior.log_variance,
        "vae.kl": posterior.kl(),
        "vae.decoded": vae.decode(posterior.mean),
        "vocoder.wave": vocoder(mel)[:, ::16],
    }


def thinned(tensor: Tensor, most: int = 48) -> list[float]:
    """Return at most `most` values spread over a tensor, to seven digits."""
    flat = tensor.detach().flatten()
    return [float(f"{value:.7g}") for value in flat[:: max(1, len(flat) // most)][:most].tolist()]


def main() -> None:
    """Write the file."""
    numbers = {name: thinned(tensor) for name, tensor in compute().items()}
    FILE.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
