"""Adversarial losses and the networks behind them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from audiojourney.errors import MissingError, UsageError
from audiojourney.training import adversarial as loss
from audiojourney.training.discriminators import (
    PatchDiscriminator,
    PeriodDiscriminator,
    ScaleDiscriminator,
    WaveDiscriminators,
    plain_state,
    trainable_weight_norm,
)
from audiojourney.training.perceptual import Lpips, SpectralPerceptual


def test_hinge_is_zero_beyond_the_margin_only():
    sure, unsure = torch.tensor([[1.0, 5.0]]), torch.tensor([[0.0, 0.5]])
    assert float(loss.hinge_discriminator(sure, -sure)) == 0.0
    assert float(loss.hinge_discriminator(unsure, -unsure)) == pytest.approx(0.75)
    assert float(loss.hinge_generator(unsure)) == pytest.approx(-0.25)


def test_squares_want_one_for_real_and_zero_for_made():
    ones, zeros = [torch.ones(2, 3)] * 2, [torch.zeros(2, 3)] * 2
    assert float(loss.squares_discriminator(ones, zeros)) == 0.0
    assert float(loss.squares_discriminator(zeros, ones)) == 4.0
    assert float(loss.squares_generator(ones)) == 0.0 and float(loss.squares_generator(zeros)) == 2.0


def test_features_pull_the_made_side_only():
    real, made = torch.zeros(2, requires_grad=True), torch.ones(2, requires_grad=True)
    distance = loss.feature_distance([[real, real], [real]], [[made, made], [made]])
    distance.backward()
    assert distance.item() == 3.0 and real.grad is None and made.grad is not None


def test_adaptive_weight_is_the_ratio_of_the_pulls_at_the_last_layer():
    last = torch.tensor([1.0, 2.0], requires_grad=True)
    weight = loss.adaptive_weight((last * torch.tensor([3.0, 4.0])).sum(), 2 * last[0], last)
    assert float(weight) == pytest.approx(5.0 / (2.0 + 1e-4))
    assert not weight.requires_grad
    clamped = loss.adaptive_weight(1e9 * last.sum(), 1e-9 * last.sum(), last)
    assert float(clamped) == 1e4


def test_patch_discriminator_is_the_three_layer_one():
    network = PatchDiscriminator()
    shapes = [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert shapes == [(64, 1, 4, 4), (128, 64, 4, 4), (256, 128, 4, 4), (512, 256, 4, 4), (1, 512, 4, 4)]
    strides = [layer.stride[0] for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert strides == [2, 2, 2, 1, 1]
    assert network(torch.randn(2, 64, 64)).shape == (2, 6 * 6)


def test_period_discriminator_never_mixes_phases():
    torch.manual_seed(0)
    network, wave = PeriodDiscriminator(3, shrink=8), torch.randn(1, 300)
    moved = wave.clone()
    moved[:, 1::3] += 1.0
    before, after = (network(w)[0].unflatten(1, (-1, 3)) for w in (wave, moved))
    assert torch.equal(before[..., 0], after[..., 0]) and torch.equal(before[..., 2], after[..., 2])
    assert not torch.equal(before[..., 1], after[..., 1])


def test_eight_networks_judge_a_wave():
    answers, features = WaveDiscriminators(shrink=8)(torch.randn(2, 1001))
    assert len(answers) == len(features) == 8
    assert [len(each) for each in features] == [6] * 5 + [8] * 3
    assert all(each.shape[0] == 2 for each in answers)
    lengths = [each.shape[1] for each in answers[5:]]
    assert lengths[0] > lengths[1] > lengths[2], "each scale hears half the rate of the one before"


def test_full_size_parameters_are_those_of_hifi_gan():
    # 41.1 M for the periods and 29.6 M for the scales, as the released discriminators have.
    network = WaveDiscriminators()
    millions = [sum(p.numel() for p in part.parameters()) / 1e6 for part in (network.periods, network.scales)]
    assert millions == [pytest.approx(41.1, abs=0.1), pytest.approx(29.6, abs=0.1)]


def test_a_shrink_that_does_not_divide_is_refused():
    with pytest.raises(UsageError, match="shrink is 3"):
        ScaleDiscriminator(lambda layer: layer, 3)


def test_folded_weights_give_the_same_answers():
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv1d(2, 3, 3), nn.ConvTranspose1d(3, 2, 4, 2))
    normed = trainable_weight_norm(nn.Sequential(nn.Conv1d(2, 3, 3), nn.ConvTranspose1d(3, 2, 4, 2)))
    for param in normed.parameters():
        nn.init.normal_(param)
    plain.load_state_dict(plain_state(normed))
    x = torch.randn(1, 2, 9)
    torch.testing.assert_close(plain(x), normed(x))


@pytest.mark.parametrize("network", [SpectralPerceptual(), Lpips()], ids=["spectral", "lpips"])
def test_perceptual_distance_is_one_of_each_example(network: nn.Module):
    torch.manual_seed(0)
    a, b = torch.randn(3, 64, 64), torch.randn(3, 64, 64)
    together = network(a, b)
    assert together.shape == (3,)
    torch.testing.assert_close(network(a, a), torch.zeros(3))
    torch.testing.assert_close(together[1:2], network(a[1:2], b[1:2]))


def test_spectral_loss_forgives_level_and_punishes_blur():
    torch.manual_seed(0)
    network, mel = SpectralPerceptual(), torch.randn(1, 64, 64)
    blurred = F.avg_pool2d(mel[:, None], 3, 1, padding=1)[:, 0]
    louder = mel + (blurred - mel).abs().mean()
    assert float(network(louder, mel)) < 1e-5, "the same picture at another level"
    assert float(network(blurred, mel)) > 0.2, "at the same absolute error"


def test_spectral_loss_has_a_finite_slope_in_silence():
    mel = torch.full((1, 64, 64), -11.5, requires_grad=True)
    SpectralPerceptual()(mel, torch.randn(1, 64, 64)).sum().backward()
    assert torch.isfinite(mel.grad).all()


def test_lpips_sees_grey_images_normalised_as_vgg_expects():
    network, mel = Lpips(), torch.randn(1, 16, 16)
    image = torch.stack([(mel + 0.030) / 0.458, (mel + 0.088) / 0.448, (mel + 0.188) / 0.450], dim=1)
    first, second = (network.get_submodule(f"net.slice1.{layer}") for layer in (0, 2))
    torch.testing.assert_close(network._features(mel)[0], F.relu(second(F.relu(first(image)))))


def test_lpips_weights_are_found_in_either_layout_or_missed_by_name(tmp_path):
    from safetensors.torch import save_file

    source = Lpips()
    state = {
        name: torch.randn_like(value) if name not in ("shift", "scale") else value
        for name, value in source.state_dict().items()
    }
    source.load_state_dict(state)
    save_file(state, tmp_path / "plain.safetensors")
    inside = {f"first_stage_model.loss.perceptual_loss.{name}": value for name, value in state.items()}
    torch.save({"state_dict": inside}, tmp_path / "checkpoint.ckpt")
    a, b = torch.randn(2, 32, 32), torch.randn(2, 32, 32)
    for name in ("plain.safetensors", "checkpoint.ckpt"):
        assert torch.equal(Lpips.load(tmp_path / name)(a, b), source(a, b))
    del state["lin3.model.1.weight"]
    save_file(state, tmp_path / "plain.safetensors")
    with pytest.raises(MissingError, match="lacks 1 of the LPIPS weights, such as lin3"):
        Lpips.load(tmp_path / "plain.safetensors")
    with pytest.raises(MissingError, match="no LPIPS weights at"):
        Lpips.load(tmp_path / "absent.pt")
