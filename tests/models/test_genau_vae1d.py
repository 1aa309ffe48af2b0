"""The GenAu autoencoder against the published numbers, and what must hold for any weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from audiojourney.errors import UsageError
from audiojourney.models.genau.sizes import vae_sizes
from audiojourney.models.genau.vae1d import Posterior, VAE1d, VAE1dConfig
from tests.models.official_layout import SCALE, VAE_TINY, tiny_vae


@pytest.fixture
def published(shared_fixtures: Path) -> tuple[VAE1d, dict[str, Tensor], dict[str, float]]:
    path = shared_fixtures / "genau" / "vae1d_tiny"
    numbers, notes = (
        load_file(path.with_suffix(".safetensors")),
        json.loads(path.with_suffix(".json").read_text("utf-8")),
    )
    state = {name[3:]: tensor for name, tensor in numbers.items() if name.startswith("sd.")}
    vae = VAE1d(vae_sizes(state)).eval()
    vae.load_state_dict({**state, "scale_factor": torch.ones(())})
    assert sum(p.numel() for p in vae.parameters()) == notes["parameters"]
    return vae, numbers, {"atol": notes["tolerance"]["atol"], "rtol": notes["tolerance"]["rtol"]}


def test_published_posterior(published):
    vae, numbers, tolerance = published
    mel, noise = numbers["in.mel"][:, 0], numbers["in.eps"][..., 0]
    with torch.no_grad():
        torch.testing.assert_close(vae.encoder(mel.transpose(1, 2)), numbers["mid.encoder_h"], **tolerance)
        posterior = vae.posterior(mel)
        torch.testing.assert_close(posterior.mean, numbers["out.mean"][..., 0], **tolerance)
        torch.testing.assert_close(posterior.log_variance, numbers["out.logvar"][..., 0], **tolerance)
        torch.testing.assert_close(posterior.sample(noise), numbers["out.z_sample"][..., 0], **tolerance)
        torch.testing.assert_close(posterior.kl(), numbers["out.kl"], **tolerance)
        torch.testing.assert_close(vae.encode(mel), numbers["out.mean"][..., 0], **tolerance)
        torch.testing.assert_close(vae.encode(mel, noise), numbers["out.z_sample"][..., 0], **tolerance)


def test_published_decoding(published):
    vae, numbers, tolerance = published
    with torch.no_grad():
        for kind, latent in (("sample", "out.z_sample"), ("mode", "out.mean")):
            decoded = vae.decode(numbers[latent][..., 0])
            torch.testing.assert_close(decoded, numbers[f"out.decode_{kind}"][:, 0], **tolerance)


def test_published_parameter_count():
    with torch.device("meta"):
        vae = VAE1d(VAE1dConfig())
    count = {part: sum(p.numel() for p in getattr(vae, part).parameters()) for part in ("encoder", "decoder")}
    assert count == {"encoder": 168_240_640, "decoder": 223_316_544}
    assert sum(p.numel() for p in vae.parameters()) == 391_639_488
    assert len(vae.state_dict()) == 252 + 1  # and the latent scale


def test_shapes_and_sizes_from_tensors():
    vae = tiny_vae()
    mel = torch.randn(2, 24, VAE_TINY.mel_bins)
    with torch.no_grad():
        latent = vae.encode(mel)
        assert latent.shape == (2, VAE_TINY.latent_channels, 24 // VAE_TINY.frames_per_latent)
        assert vae.decode(latent).shape == vae(mel).shape == mel.shape
    assert vae_sizes(vae.state_dict()) == VAE_TINY


def test_latents_leave_scaled_and_come_back_unscaled():
    vae, plain = tiny_vae(), tiny_vae()
    plain.scale_factor.fill_(1.0)
    mel = torch.randn(1, 16, VAE_TINY.mel_bins)
    with torch.no_grad():
        latent = vae.encode(mel)
        torch.testing.assert_close(latent, SCALE * plain.encode(mel))
        torch.testing.assert_close(vae.decode(latent), plain.decode(plain.encode(mel)))


def test_log_variance_is_clamped():
    vae = tiny_vae()
    with torch.no_grad():
        vae.quant_conv.bias[VAE_TINY.latent_channels :] = torch.tensor([1e3, -1e3] * 4)
        found = vae.posterior(torch.zeros(1, 8, VAE_TINY.mel_bins)).log_variance
    assert found.amax().item() == 20
    assert found.amin().item() == -30


def test_kl_is_a_mean_that_vanishes_for_the_standard_normal():
    nought = torch.zeros(2, 3, 5)
    assert torch.equal(Posterior(nought, nought).kl(), torch.zeros(2))
    assert torch.equal(Posterior(nought + 2, nought).kl(), torch.full((2,), 2.0))


def test_a_width_without_whole_groups_is_refused():
    with pytest.raises(UsageError, match="width 48 is not a multiple of the 32"):
        VAE1dConfig(width=48)
