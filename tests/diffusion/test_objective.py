"""Targets, conversions between them, and weights that describe one loss whatever the target."""

from __future__ import annotations

import pytest
import torch

from audiojourney.diffusion.flow import FlowSchedule
from audiojourney.diffusion.objective import PREDICTIONS, Objective, predicted_epsilon, predicted_x0
from audiojourney.diffusion.path import Schedule
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import UsageError

PATHS: dict[str, tuple[Schedule, list[float]]] = {
    "genau": (NoiseSchedule.scaled_linear(), [0, 10, 500, 900]),
    "cosine": (NoiseSchedule.cosine(), [0, 10, 500, 900]),
    "flow": (FlowSchedule(), [1.0, 10.5, 500.0, 999.0]),
}
every_path = pytest.mark.parametrize("path", PATHS)
every_prediction = pytest.mark.parametrize("prediction", PREDICTIONS)


@pytest.fixture
def signals() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = (4, 3, 5)
    return (
        torch.randn(shape, generator=generator, dtype=torch.float64),
        torch.randn(shape, generator=generator, dtype=torch.float64),
    )


@every_path
@every_prediction
def test_the_target_names_both_the_signal_and_the_noise(path, prediction, signals):
    schedule, times = PATHS[path]
    x0, noise = signals
    t, objective = torch.tensor(times), Objective(prediction, schedule)
    x_t, target = objective.noisy(x0, noise, t), objective.target(x0, noise, t)
    torch.testing.assert_close(objective.to_x0(target, x_t, t), x0, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(objective.to_epsilon(target, x_t, t), noise, rtol=1e-9, atol=1e-9)


@every_path
@every_prediction
def test_any_output_means_one_pair_that_gives_back_x_t(path, prediction, signals):
    schedule, times = PATHS[path]
    output, x_t = signals
    t, objective = torch.tensor(times), Objective(prediction, schedule)
    x0, epsilon = objective.to_x0(output, x_t, t), objective.to_epsilon(output, x_t, t)
    torch.testing.assert_close(objective.noisy(x0, epsilon, t), x_t, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(objective.target(x0, epsilon, t), output, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("prediction", ["v", "x0", "flow"])
def test_at_pure_noise_nothing_is_divided_by_zero(prediction, signals):
    schedule = NoiseSchedule.cosine(zero_terminal_snr=True)
    x0, noise = signals
    t, objective = torch.full((4,), 999), Objective(prediction, schedule)
    x_t = objective.noisy(x0, noise, t)
    assert torch.equal(x_t, noise)
    torch.testing.assert_close(objective.to_x0(objective.target(x0, noise, t), x_t, t), x0)
    torch.testing.assert_close(objective.to_epsilon(objective.target(x0, noise, t), x_t, t), noise)
    assert bool(objective.snr_weight(t).isfinite().all())


@every_path
def test_min_snr_weights_describe_the_same_loss_for_every_target(path, signals):
    schedule, times = PATHS[path]
    x0, noise = signals
    t = torch.tensor(times)
    x_t = Objective("x0", schedule).noisy(x0, noise, t)
    guess = x0 + 0.1 * torch.sin(7 * noise)
    epsilon = (x_t - _column(schedule.alpha(t, torch.float64)) * guess) / _column(schedule.sigma(t, torch.float64))
    losses = {}
    for prediction in PREDICTIONS:
        objective = Objective(prediction, schedule)
        losses[prediction] = objective.loss(objective.target(guess, epsilon, t), x0, noise, t, gamma=5.0)
    expected = (guess - x0).square().mean((1, 2)) * schedule.log_snr(t, torch.float64).exp().clamp(max=5)
    for prediction in PREDICTIONS:
        torch.testing.assert_close(losses[prediction].double(), expected, rtol=2e-3, atol=1e-9)


@pytest.mark.parametrize(
    ("prediction", "formula"),
    [
        ("epsilon", lambda snr, gamma: snr.clamp(max=gamma) / snr),
        ("v", lambda snr, gamma: snr.clamp(max=gamma) / (snr + 1)),
        ("x0", lambda snr, gamma: snr.clamp(max=gamma)),
    ],
)
def test_min_snr_weights_are_the_published_ones(prediction, formula):
    schedule, t = NoiseSchedule.linear(), torch.arange(1000)
    snr = schedule.log_snr(t, torch.float64).exp()
    weight = Objective(prediction, schedule).snr_weight(t, 5.0)
    torch.testing.assert_close(weight.double(), formula(snr, 5.0), rtol=1e-6, atol=0)


def test_epsilon_keeps_its_weight_where_there_is_no_signal():
    schedule = NoiseSchedule.cosine(zero_terminal_snr=True)
    assert Objective("epsilon", schedule).snr_weight(torch.tensor([999])).item() == 1
    assert Objective("v", schedule).snr_weight(torch.tensor([999]), as_tango=True).item() == 1


def test_tango_divides_by_snr_for_v_too():
    schedule, t = NoiseSchedule.scaled_linear(start=0.00085, end=0.012), torch.tensor([20, 500, 937])
    tango = Objective("v", schedule).snr_weight(t, 5.0, as_tango=True)
    assert torch.equal(tango, Objective("epsilon", schedule).snr_weight(t, 5.0))
    assert not torch.allclose(tango, Objective("v", schedule).snr_weight(t, 5.0))


def test_loss_is_the_mean_of_each_row_and_float32(signals):
    x0, noise = signals
    t = torch.tensor([0, 10, 500, 900])
    objective = Objective("v", NoiseSchedule.cosine())
    output = objective.target(x0, noise, t) + torch.tensor([0.0, 1.0, 2.0, 3.0]).view(4, 1, 1)
    loss = objective.loss(output.bfloat16().float(), x0.float(), noise.float(), t)
    assert loss.dtype == torch.float32 and loss.shape == (4,)
    torch.testing.assert_close(loss, torch.tensor([0.0, 1.0, 4.0, 9.0]), rtol=0.02, atol=1e-3)


def test_half_precision_signals_are_mixed_in_float32(signals):
    x0, noise = (s.bfloat16() for s in signals)
    t = torch.tensor([0, 10, 500, 900])
    objective = Objective("v", NoiseSchedule.cosine())
    exact = objective.noisy(x0.double(), noise.double(), t)
    assert objective.noisy(x0, noise, t).dtype == torch.bfloat16
    assert torch.equal(objective.noisy(x0, noise, t), exact.bfloat16())


@every_prediction
def test_plain_functions_take_floats(prediction, signals):
    output, x = signals
    x0 = predicted_x0(prediction, output, x, 0.8, 0.6)
    epsilon = predicted_epsilon(prediction, output, x, 0.8, 0.6)
    torch.testing.assert_close(0.8 * x0 + 0.6 * epsilon, x)


def test_unknown_prediction_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"'eps'.*epsilon, v, x0, flow"):
        Objective("eps", NoiseSchedule.cosine())


def _column(rows: torch.Tensor) -> torch.Tensor:
    return rows.view(-1, 1, 1)
