"""Variance-preserving schedules keep the total variance and fall from sound to noise."""

from __future__ import annotations

import math

import pytest
import torch

from audiojourney.diffusion.path import Point
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.diffusion.schedules import build_schedule
from audiojourney.errors import UsageError

ALL = {
    "scaled_linear": NoiseSchedule.scaled_linear(),
    "linear": NoiseSchedule.linear(),
    "cosine": NoiseSchedule.cosine(),
    "cosine_short": NoiseSchedule.cosine(50, delta=0.02),
    "zero_snr": NoiseSchedule.cosine(zero_terminal_snr=True),
}
every_schedule = pytest.mark.parametrize("schedule", ALL.values(), ids=ALL.keys())


@every_schedule
def test_log_snr_falls_with_time_and_variance_is_kept(schedule):
    t = torch.arange(schedule.train_steps)
    log_snr = schedule.log_snr(t, torch.float64)
    assert bool((log_snr.diff() < 0).all())
    power = schedule.alpha(t, torch.float64) ** 2 + schedule.sigma(t, torch.float64) ** 2
    torch.testing.assert_close(power, torch.ones_like(power), rtol=0, atol=1e-15)


@every_schedule
def test_point_agrees_with_the_tables(schedule):
    for t in (0, 7, schedule.train_steps - 1):
        point, time = schedule.point(t), torch.tensor([t])
        assert point.alpha == schedule.alpha(time, torch.float64).item()
        assert point.sigma == schedule.sigma(time, torch.float64).item()
        assert point.log_snr == pytest.approx(schedule.log_snr(time, torch.float64).item(), rel=1e-9)


def test_genau_end_is_not_pure_noise():
    abar = NoiseSchedule.scaled_linear().alphas_cumprod
    assert abar[0] == pytest.approx(0.9985, rel=1e-12)
    assert abar[499] == pytest.approx(0.115844, rel=5e-6)
    assert abar[999] == pytest.approx(1.42304e-4, rel=5e-6)


def test_cosine_follows_its_curve_until_the_bound():
    schedule, delta = NoiseSchedule.cosine(delta=0.02), 0.02
    for t in (0, 123, 900):
        expected = (
            math.cos(((t + 1) / 1000 + delta) / (1 + delta) * math.pi / 2) ** 2
            / math.cos(delta / (1 + delta) * math.pi / 2) ** 2
        )
        assert schedule.alphas_cumprod[t].item() == pytest.approx(expected, rel=1e-9)
    assert schedule.betas[-1] == 0.999


def test_larger_delta_makes_the_first_steps_noisier():
    small, large = NoiseSchedule.cosine(delta=0.008), NoiseSchedule.cosine(delta=0.05)
    assert large.betas[0] > 3 * small.betas[0]


@pytest.mark.parametrize("plain", [NoiseSchedule.scaled_linear(), NoiseSchedule.linear(), NoiseSchedule.cosine()])
def test_zero_terminal_snr_keeps_the_start_and_ends_in_pure_noise(plain):
    zero = plain.rescaled_to_zero_snr()
    assert zero.alphas_cumprod[0].item() == pytest.approx(plain.alphas_cumprod[0].item(), rel=1e-12)
    assert zero.alphas_cumprod[-1].item() == 0
    assert zero.point(999) == Point(999, 0.0, 1.0)
    assert zero.point(999).log_snr == -math.inf
    # Linear in sqrt(abar): the rescaled curve is the plain one, shifted and stretched (Lin et al. 2023, algorithm 1).
    ratio = zero.alphas_cumprod.sqrt()[:-1] / (plain.alphas_cumprod.sqrt() - plain.alphas_cumprod.sqrt()[-1])[:-1]
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio), rtol=1e-9, atol=0)


def test_path_ends_clean_or_at_the_first_step():
    schedule = NoiseSchedule.scaled_linear()
    assert schedule.path(10)[-1] == Point(-1, 1.0, 0.0)
    assert schedule.path(10)[-1].log_snr == math.inf
    assert schedule.path(10, "genau")[-1] == schedule.point(0)
    assert [point.t for point in schedule.path(4)] == [999, 749, 499, 249, -1]


def test_training_times_are_uniform_and_follow_the_generator():
    schedule = NoiseSchedule.cosine(10)
    t = schedule.draw_times(20_000, torch.Generator().manual_seed(3))
    again = schedule.draw_times(20_000, torch.Generator().manual_seed(3))
    assert t.dtype == torch.int64 and torch.equal(t, again)
    share = torch.bincount(t, minlength=10) / len(t)
    assert share.shape == (10,)
    assert bool(((share - 0.1).abs() < 0.01).all())


def test_moved_schedule_has_the_same_tables():
    schedule = NoiseSchedule.cosine(20, zero_terminal_snr=True)
    moved = schedule.to("cpu")
    assert torch.equal(schedule.alphas_cumprod, moved.alphas_cumprod)
    assert schedule.alpha(torch.tensor([3])).dtype == torch.float32


def test_times_that_do_not_exist_are_shown():
    schedule = NoiseSchedule.cosine(20)
    with pytest.raises(UsageError, match="20 steps has no time 20"):
        schedule.point(20)
    with pytest.raises(UsageError, match=r"no time 3\.5"):
        schedule.point(3.5)
    with pytest.raises(UsageError, match=r"integer times, got torch\.float32"):
        schedule.alpha(torch.tensor([3.0]))


@pytest.mark.parametrize("betas", [[], [0.0, 0.1], [0.1, 1.2], [[0.1]], [float("nan")]])
def test_impossible_betas_are_refused(betas):
    with pytest.raises(UsageError, match=r"betas in \(0, 1\]"):
        NoiseSchedule(torch.tensor(betas))


def test_schedules_are_built_by_name():
    built = build_schedule("cosine", {"train_steps": 30, "delta": 0.1, "zero_terminal_snr": True})
    same = NoiseSchedule.cosine(30, delta=0.1, zero_terminal_snr=True)
    assert isinstance(built, NoiseSchedule)
    assert built.alphas_cumprod[-1] == 0
    assert torch.equal(built.betas, same.betas)
    assert build_schedule("flow", {"shift": 3.0}).point(500).sigma == 0.5


def test_unknown_schedule_or_option_offers_the_nearest():
    with pytest.raises(UsageError, match=r"'cosin'.*'cosine'"):
        build_schedule("cosin")
    with pytest.raises(UsageError, match=r"'cosine' has no option 'detla'.*'delta'"):
        build_schedule("cosine", {"detla": 0.1})
