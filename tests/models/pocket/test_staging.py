"""Plans of scenes, and how takes are put together."""

from __future__ import annotations

import pytest
import torch

from audiojourney.data.scenes.mixing import active_level_db
from audiojourney.models.pocket.staging import LEVEL_DB, Take, put_together, stage

RATE = 1000


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) * 0.3


def test_a_single_sound_stays_as_it_is() -> None:
    [take] = stage([None], 500, RATE)
    wave = noise(500)
    assert torch.equal(put_together([take], [wave], 500, RATE)[0], wave)


@pytest.mark.parametrize("samples", [1, 7, 90, 1001, 10_240])
def test_a_sequence_covers_the_whole_length_once(samples: int) -> None:
    first, second = stage(["sequence"], samples, RATE)
    assert first.start == 0 and second.start + second.samples == samples
    assert first.start + first.samples >= second.start
    assert first.samples == second.samples  # so that one forward draws both


def test_the_parts_of_a_sequence_follow_each_other() -> None:
    takes = stage(["sequence"], 2000, RATE)
    silence = torch.zeros(takes[1].samples)
    only_first = put_together(takes, [noise(takes[0].samples), silence], 2000, RATE)[0]
    assert only_first[:900].abs().max() > 0 and not only_first[1100:].any()
    only_second = put_together(takes, [silence, noise(takes[1].samples)], 2000, RATE)[0]
    assert not only_second[:900].any() and only_second[1100:].abs().max() > 0


def test_the_crossing_keeps_the_power() -> None:
    takes = stage(["sequence"], 40_000, 10_000)
    rows = [
        put_together(takes, [noise(t.samples, 2 * s + i) for i, t in enumerate(takes)], 40_000, 10_000)[0]
        for s in range(20)
    ]
    power = torch.stack(rows).square().mean(dim=0)
    assert power[19_500:20_500].mean() == pytest.approx(float(power[5_000:15_000].mean()), rel=0.05)


def test_sounds_together_have_one_level_whatever_they_had_before() -> None:
    takes = stage(["together"], 4000, RATE)
    for loud in (0, 1):
        waves = [noise(4000) * (1.0 if i == loud else 0.0) for i in range(2)]
        assert active_level_db(put_together(takes, waves, 4000, RATE)[0].numpy(), RATE) == pytest.approx(
            LEVEL_DB, abs=0.1
        )


def test_a_background_is_quieter_and_events_less_so() -> None:
    takes = stage(["background"], 4000, RATE)
    silence, steady = torch.zeros(4000), noise(4000)
    events = steady * (torch.arange(4000) % 1000 < 100)
    level = [
        active_level_db(put_together(takes, [silence, wave], 4000, RATE)[0].numpy(), RATE) for wave in (steady, events)
    ]
    assert level == pytest.approx([LEVEL_DB - 7, LEVEL_DB - 3], abs=0.1)


def test_rows_do_not_mix() -> None:
    takes = stage(["together", None], 100, RATE)
    sounds = put_together(takes, [torch.zeros(100), torch.zeros(100), noise(100)], 100, RATE)
    assert sounds.shape == (2, 100) and not sounds[0].any() and sounds[1].any()


def test_the_two_sounds_of_a_scene_have_seeds_of_their_own() -> None:
    first, second = stage(["together"], 100, RATE)
    assert first.seed(5) == 5 == Take(0, None, 0, 100).seed(5)
    assert second.seed(5) != 5 and second.seed(2**31) < 2**63
