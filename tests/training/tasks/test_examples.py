"""Examples of the pocket generator: what is drawn, how it is cut and joined, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from audiojourney.data.bank import WaveBank
from audiojourney.data.clip import Caption, Clip, Event
from audiojourney.data.scenes.captions import Placed
from audiojourney.training.tasks.examples import BLEND, Examples, Mix

FRAME_HZ = 25.0
RATE_HZ = 16_000


class Latents:
    """A latent cache whose numbers tell which clip and which frame they come from."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths = lengths

    def __getitem__(self, index: int) -> np.ndarray:
        frames = np.arange(self.lengths[index], dtype=np.float32)
        return np.stack([np.full_like(frames, index), frames])


def clip(index: int, *labels: str, fold: int | None = None, events: Sequence[tuple[str, float, float]] = ()) -> Clip:
    return Clip(
        path=Path(f"{index}.flac"),
        id=str(index),
        fold=fold,
        labels=labels,
        captions=(Caption(f"stored words about {' and '.join(labels)}"),),
        events=tuple(Event(*event) for event in events),
    )


def examples(clips: Sequence[Clip], lengths: Sequence[int], mix: Mix) -> Examples:
    waves = [np.zeros(int(n * RATE_HZ / FRAME_HZ), np.int16) for n in lengths]
    for wave in waves:
        wave[: len(wave) // 2] = 1000  # loud first half, quiet second half
    starts = np.cumsum([0, *map(len, waves)])
    bank = WaveBank(np.concatenate(waves), starts, tuple(clips), RATE_HZ, "key")
    return Examples(bank, Latents(lengths), range(len(clips)), mix, FRAME_HZ)


SINGLES = Mix(scenes=0, sequences=0)


def test_every_concept_is_drawn_equally_often() -> None:
    clips = [clip(i, "rain") for i in range(9)] + [clip(9, "knock")]
    drawn = examples(clips, [128] * 10, SINGLES)
    rng = np.random.default_rng(0)
    counts = Counter(int(drawn.draw(rng, 64)[0][0, 0] == 9) for _ in range(400))
    assert 150 < counts[1] < 250


def test_recordings_are_preferred_where_there_are_both() -> None:
    clips = [clip(0, "rain"), clip(1, "rain", fold=1)]
    drawn = examples(clips, [128, 128], Mix(scenes=0, sequences=0, recorded=0.9))
    rng = np.random.default_rng(0)
    share = np.mean([drawn.draw(rng, 64)[0][0, 0] for _ in range(300)])
    assert 0.85 < share < 0.95


def test_crops_of_separate_events_begin_shortly_before_one() -> None:
    drawn = examples([clip(0, "knock", events=[("knock", 6.0, 6.5)])], [256], SINGLES)
    rng = np.random.default_rng(0)
    for _ in range(50):
        latent, _ = drawn.draw(rng, 64)
        assert latent.shape == (2, 64)
        assert latent[1, 0] / FRAME_HZ + 0.05 >= 6.0 - 1.5 and latent[1, 0] / FRAME_HZ <= 6.0


def test_short_textures_are_turned_round_without_a_gap() -> None:
    drawn = examples([clip(0, "rain")], [40], SINGLES)
    latent, _ = drawn.draw(np.random.default_rng(3), 100)
    steps = np.diff(latent[1])
    assert latent.shape == (2, 100)
    assert (np.abs(steps) < 1.01).mean() > 0.9


def test_short_events_are_cut_only_in_quiet_and_lengthened_by_it() -> None:
    drawn = examples([clip(0, "knock")], [40], SINGLES)
    rng = np.random.default_rng(0)
    for _ in range(20):
        latent, _ = drawn.draw(rng, 60)
        loud = latent[1, :] < 20
        edges = np.diff(np.concatenate([[0], loud.astype(int), [0]]))
        assert (edges == 1).sum() == 1, "the loud half stays in one piece"
        assert latent.shape == (2, 60)


def test_sequences_keep_the_order_of_their_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_order(placed: Sequence[Placed], relation: str, rng: np.random.Generator, count: int) -> tuple[str, ...]:
        return (f"{relation}: {' '.join(sound.concept for sound in placed)}",)

    monkeypatch.setattr("audiojourney.training.tasks.examples.describe", in_order)
    drawn = examples([clip(0, "rain"), clip(1, "knock")], [256, 256], Mix(scenes=0, sequences=1, stored=0))
    rng = np.random.default_rng(0)
    said = set()
    for _ in range(60):
        latent, caption = drawn.draw(rng, 128)
        source = latent[0]
        assert latent.shape == (2, 128)
        if caption.startswith("sequence"):
            assert caption == ("sequence: rain knock" if source[0] == 0 else "sequence: knock rain")
            assert source[0] != source[-1] and (np.diff(source) != 0).sum() <= BLEND + 1
        said.add(caption)
    assert {"sequence: rain knock", "sequence: knock rain"} <= said


def test_scenes_are_cut_only_when_all_their_sounds_have_begun() -> None:
    late = clip(0, "rain", "knock", events=[("rain", 0, 10), ("knock", 8, 9)])
    early = clip(1, "rain", "dog", events=[("rain", 0, 10), ("dog", 1, 2)])
    drawn = examples([late, early, clip(2, "rain")], [256, 256, 256], Mix(scenes=1, sequences=0))
    rng = np.random.default_rng(0)
    short = {drawn.draw(rng, 128)[1] for _ in range(40)}
    whole = {drawn.draw(rng, 256)[1] for _ in range(40)}
    assert short == {"stored words about rain and dog"}
    assert whole == {"stored words about rain and dog", "stored words about rain and knock"}


@pytest.mark.parametrize(("stored", "found"), [(1.0, True), (0.0, False)])
def test_captions_are_stored_or_new(stored: float, found: bool) -> None:
    drawn = examples([clip(0, "dog")], [128], Mix(scenes=0, sequences=0, stored=stored))
    rng = np.random.default_rng(0)
    said = [drawn.draw(rng, 64)[1] for _ in range(20)]
    assert all(("stored words" in text) == found for text in said)


def test_the_same_generator_draws_the_same_example() -> None:
    drawn = examples([clip(0, "rain"), clip(1, "knock")], [200, 200], Mix())
    first, second = (drawn.draw(np.random.default_rng(5), 128) for _ in range(2))
    assert first[1] == second[1] and np.array_equal(first[0], second[0])
