"""Autoencoder, vocoder, size."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from audiojourney import hub
from audiojourney.models.pocket.spectral_distance import distance, log_magnitudes
from audiojourney.recipes.pocket_eval import autoencoder, size, vocoder
from audiojourney.recipes.pocket_eval.sounds import RECORDED, SYNTHESISED, Sounds
from tests.recipes.pocket_doubles import clips, judge, lenient


class Through:
    """An autoencoder that may forget which clip it was given."""

    config = SimpleNamespace(patch=4)

    def __init__(self, forget=False):
        self.forget = forget

    def encode(self, mel):
        assert mel.shape[1] % 4 == 0
        return mel

    def decode(self, latent):
        return torch.zeros_like(latent) if self.forget else latent


REAL = clips(2, frames=42)


def test_an_autoencoder_that_changes_nothing_keeps_everything():
    kept, error, *others = autoencoder.compare(judge(), Through(), REAL, counts=True)
    assert (kept.reached, kept.real, kept.met, error.reached) == (1, 1, True, 0)
    assert kept.clips == 2 * len(RECORDED) and others[0].clips == 2 * len(SYNTHESISED)
    assert error.met is None and error.chance > 0


def test_an_autoencoder_that_forgets_fails():
    figures = autoencoder.compare(judge(), Through(forget=True), REAL, counts=True)
    assert [f.failed for f in figures] == [True, False, True, False]
    assert figures[1].reached == pytest.approx(
        float(np.mean([mel[:40].abs().mean() for mel in REAL.of(RECORDED).mels]))
    )
    assert not any(f.failed for f in autoencoder.compare(lenient(), Through(forget=True), REAL, counts=False))


def waves(count=3, seconds=0.7):
    rng = np.random.default_rng(0)
    made = tuple(0.2 * rng.standard_normal(round(16_000 * seconds)).astype(np.float32) for _ in range(count))
    return Sounds(("rain",) * count, made)


@pytest.fixture
def short_griffin_lim(monkeypatch):
    monkeypatch.setattr(vocoder, "PASSES", 3)


def test_a_vocoder_that_knows_the_wave_is_at_no_distance(short_griffin_lim):
    sounds = waves()
    answers = iter([wave for wave in sounds.waves for _ in (0, 1)])

    def oracle(mel, generator):
        wave = torch.from_numpy(next(answers))
        return (wave * 0.5 / wave.abs().max())[None]

    found = vocoder.compare(oracle, sounds)
    assert found.met and found.reached == pytest.approx(0, abs=0.01)
    assert found.chance > 1 and found.limit > 1


def test_energy_distance_is_of_two_outputs_with_seeds_of_their_own():
    [wave] = [torch.from_numpy(wave) for wave in waves(1).waves]

    def noise(mel, generator):
        return 0.1 * torch.randn(1, mel.shape[1] * 160, generator=generator)

    x, y, z = wave[None], *(0.1 * torch.randn(1, 11200, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    spectra = [log_magnitudes(side) for side in (x, y, z)]
    by_hand = distance(spectra[0], spectra[1]) + distance(spectra[0], spectra[2]) - distance(spectra[1], spectra[2])
    assert vocoder.distances(noise, [wave]) == pytest.approx([float(by_hand)])


def test_silence_does_not_beat_griffin_lim(short_griffin_lim):
    found = vocoder.compare(lambda mel, generator: torch.zeros(1, mel.shape[1] * 160), waves())
    assert found.failed and found.reached > found.limit
    assert found.detail["share of clips where the vocoder is nearer"] == 0


def test_griffin_lim_does_not_beat_itself(short_griffin_lim):
    found = vocoder.compare(lambda mel, g: vocoder.griffin_lim(mel, g, passes=3), waves(1))
    assert found.reached == found.limit and found.failed


def test_some_clips_of_each_concept_are_kept():
    sounds = Sounds(("a", "a", "b", "a"), tuple(np.full(3, i) for i in range(4)))
    kept = vocoder.some_of_each(sounds, 2)
    assert kept.concepts == ("a", "a", "b") and [int(w[0]) for w in kept.waves] == [0, 1, 2]


def test_size_is_that_of_all_files(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "POCKET", tmp_path)
    assert size.measure(None)[0].failed  # nothing is shipped
    (tmp_path / "generator").mkdir()
    (tmp_path / "generator" / "config.yaml").write_text("kind: pocket-generator\n", encoding="utf-8")
    (tmp_path / "other.bin").write_bytes(bytes(2_000_000))
    assert size.measure(None)[0].reached == pytest.approx(2.0, abs=0.01) and not size.measure(None)[0].failed
    monkeypatch.setattr(size, "MOST_MB", 1.0)
    assert size.measure(None)[0].failed
