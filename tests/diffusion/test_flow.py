"""The straight path of rectified flow."""

from __future__ import annotations

import pytest
import torch

from audiojourney.diffusion.flow import FlowSchedule
from audiojourney.diffusion.path import Point
from audiojourney.errors import UsageError


def test_signal_and_noise_share_the_weight():
    flow, t = FlowSchedule(), torch.linspace(0, 1000, 11)
    torch.testing.assert_close(flow.sigma(t), torch.linspace(0, 1, 11))
    torch.testing.assert_close(flow.alpha(t) + flow.sigma(t), torch.ones(11))
    assert bool((flow.log_snr(t).diff() < 0).all())


def test_path_runs_from_noise_to_the_clean_signal():
    path = FlowSchedule().path(4)
    assert path == (
        Point(1000.0, 0.0, 1.0),
        Point(750.0, 0.25, 0.75),
        Point(500.0, 0.5, 0.5),
        Point(250.0, 0.75, 0.25),
        Point(0.0, 1.0, 0.0),
    )
    spread = FlowSchedule().path(4, "linspace")
    assert [point.t for point in spread] == pytest.approx([1000, 667, 334, 1, 0])


def test_shift_moves_the_visited_places_towards_noise_and_not_the_weights():
    path = FlowSchedule(shift=3.0).path(4)
    assert [point.sigma for point in path] == pytest.approx([1, 0.9, 0.75, 0.5, 0])
    assert path[1].t == pytest.approx(900)


@pytest.mark.parametrize(
    ("draw", "shift", "median", "quartile"),
    [
        ("uniform", 1.0, 500, 250),
        ("uniform", 3.0, 750, 500),
        ("logit_normal", 1.0, 500, 337.5),
    ],
)
def test_training_times_fall_as_their_law_says(draw, shift, median, quartile):
    flow = FlowSchedule(draw=draw, shift=shift)
    t = flow.draw_times(20_000, torch.Generator().manual_seed(0))
    assert bool(((t >= 0) & (t <= 1000)).all())
    assert t.median().item() == pytest.approx(median, abs=12)
    assert t.quantile(0.25).item() == pytest.approx(quartile, abs=12)


def test_wrong_values_are_shown():
    with pytest.raises(UsageError, match=r"'normal'.*logit_normal"):
        FlowSchedule(draw="normal")
    with pytest.raises(UsageError, match=r"shift > 0, got 1000 and -1"):
        FlowSchedule(shift=-1)
    with pytest.raises(UsageError, match=r"no time 1000\.5"):
        FlowSchedule().point(1000.5)
    with pytest.raises(UsageError, match=r"no time -1"):
        FlowSchedule().point(-1)
    with pytest.raises(UsageError, match=r"'genau'.*trailing"):
        FlowSchedule().path(4, "genau")
    with pytest.raises(UsageError, match="0 sampling steps"):
        FlowSchedule().path(0)
