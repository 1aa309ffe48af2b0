"""Clips come back in order, whatever the number of threads, and never more than a few are held."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from audiojourney.data.clip import Clip
from audiojourney.metrics.conventions import OURS, convention
from audiojourney.metrics.embedders import Heard
from audiojourney.recipes.eval import listen
from audiojourney.recipes.eval.listen import BATCH, Ears, processors
from audiojourney.recipes.eval.networks import Network, open_network
from tests.recipes.eval.sets import write_sounds


class Ear:
    """Hears the mean and the length of a clip."""

    name, rate_hz, shortest = "pocket", 16_000, 8_000

    def __init__(self):
        self.calls = 0
        self.together = self.most = 0
        self.lock = threading.Lock()

    def embed(self, waves):
        with self.lock:
            self.calls += 1
            self.together += 1
            self.most = max(self.most, self.together)
        threading.Event().wait(0.005)
        with self.lock:
            self.together -= 1
        return [Heard(np.array([[wave.mean(), len(wave)]], np.float32)) for wave in waves]


def clips(folder, count=40, **options):
    write_sounds(folder, count=count, names="{:03d}", seconds=0.6, **options)
    return [Clip(path=path, id=path.stem) for path in sorted(folder.glob("*.wav"))]


@pytest.mark.parametrize("workers", (1, 3))
def test_order_and_bounds(tmp_path, workers, monkeypatch):
    most = BATCH * (2 * workers + 2)  # what waits, and what is being heard
    sounds, ear, loaded = clips(tmp_path, most + 2 * BATCH), Ear(), []
    original = listen.load
    monkeypatch.setattr(listen, "load", lambda *args, **options: loaded.append(0) or original(*args, **options))
    ears = Ears([Network(ear, "x", "y")], OURS, None, workers)
    seen = []
    for listened in ears.listen(sounds):
        if not seen:
            threading.Event().wait(1.0)  # threads that would run ahead have the time to
        seen.append(listened.clip.id)
        assert len(loaded) <= len(seen) + most
    assert seen == [clip.id for clip in sounds]
    assert ear.calls == len(sounds) // BATCH
    assert (ear.most > 1) == (workers > 1)


def test_a_network_for_one_thread_is_asked_by_one(tmp_path):
    ear = Ear()
    list(Ears([Network(ear, "x", "y", parallel=False)], OURS, None, 4).listen(clips(tmp_path)))
    assert ear.most == 1


def test_two_networks_share_what_is_decoded(tmp_path, monkeypatch):
    loaded = []
    original = listen.load
    monkeypatch.setattr(listen, "load", lambda *args, **options: loaded.append(0) or original(*args, **options))
    pair = [Network(Ear(), "x", "1"), Network(Ear(), "x", "2")]
    (first, *_) = Ears(pair, OURS, None, 1).listen(clips(tmp_path, 5))
    assert len(loaded) == 5
    assert set(first.heard) == {network.key for network in pair}


def test_parts_of_files_and_faults(tmp_path):
    (whole,) = clips(tmp_path, 1)
    part = replace(whole, id="part", offset_s=0.1, duration_s=0.2)
    late = replace(whole, id="late", offset_s=9.0, duration_s=0.2)
    absent = Clip(path=tmp_path / "none.wav", id="none")
    found = list(Ears([Network(Ear(), "x", "y")], OURS, tmp_path / "c", 1).listen([whole, part, late, absent]))
    assert [heard.facts.duration_s if heard.facts else None for heard in found] == [0.6, 0.2, None, None]
    assert [heard.fault.code if heard.fault else "" for heard in found] == ["", "", "out_of_range", "missing_file"]
    assert found[1].short == ("pocket",) and not found[1].cached
    again = list(Ears([Network(Ear(), "x", "y")], OURS, tmp_path / "c", 1).listen([part, whole]))
    assert [heard.cached for heard in again] == [True, True]
    assert again[0].short == ("pocket",)
    assert again[0].facts == found[1].facts
    for new, old in zip(again, (found[1], found[0]), strict=True):
        np.testing.assert_array_equal(next(iter(new.heard.values())).rows, next(iter(old.heard.values())).rows)


def test_the_shipped_network_hears_the_same_in_every_company(tmp_path):
    sounds, network = clips(tmp_path, 9), open_network("pocket")
    together = list(Ears([network], OURS, None, 2).listen(sounds))
    for listened in together:
        (alone,) = Ears([network], OURS, None, 1).listen([listened.clip])
        for part in ("rows", "whole", "logits"):
            both = [getattr(heard.heard[network.key], part) for heard in (listened, alone)]
            np.testing.assert_array_equal(*both)


def test_conventions_prepare_sounds(tmp_path):
    network = Network(Ear(), "x", "y")
    (theirs,) = Ears([network], convention("audioldm_eval"), None, 1).listen(clips(tmp_path, 1))
    mean, length = theirs.heard[network.key].rows[0]
    assert abs(mean) < 1e-8 and length == 32_000


def test_threads_of_torch_are_given_back(tmp_path, monkeypatch):
    monkeypatch.setenv("AJ_NUM_THREADS", "3")
    assert processors() == 3
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        stream = Ears([Network(Ear(), "x", "y")], OURS, None).listen(clips(tmp_path, 20))
        next(stream)
        assert torch.get_num_threads() == 1
        stream.close()
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)
