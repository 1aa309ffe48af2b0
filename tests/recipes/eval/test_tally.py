"""Intervals hold what they promise, memory does not grow, and weights of others are opened by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from audiojourney import checkpoints
from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.conventions import OURS
from audiojourney.metrics.embedders import Heard
from audiojourney.metrics.frechet import frechet_distance
from audiojourney.models.panns import Cnn14, Cnn14Config
from audiojourney.models.vggish import VGGish, VGGishConfig
from audiojourney.recipes.eval.networks import open_network
from audiojourney.recipes.eval.plan import Planner
from audiojourney.recipes.eval.settings import EvalConfig
from audiojourney.recipes.eval.tally import Tally


def heard(random, shift=0.0, width=3, rows=2):
    found = random.normal(shift, 1, (rows, width)).astype(np.float32)
    return Heard(found, found.mean(axis=0), random.normal(0, 1, 4).astype(np.float32))


def filled(seed, clips=80, kinds=("fad", "fd", "is", "kl", "kad"), draws=30):
    random = np.random.default_rng(seed)
    tally = Tally(kinds, OURS, (clips, clips), draws=draws, seed=seed)
    for side, shift in (("reference", 0.0), ("generated", 0.7)):
        for number in range(clips):
            tally.feed(side, f"r{number}", heard(random, shift))
    return tally


def test_values_equal_those_of_all_rows():
    random = np.random.default_rng(0)
    sides = {side: [heard(random, shift) for _ in range(90)] for side, shift in (("reference", 0), ("generated", 1))}
    tally = Tally(("fad", "fd"), OURS, (90, 90))
    for side, clips in sides.items():
        for number, clip in enumerate(clips):
            tally.feed(side, str(number), clip)
    for kind, part in (("fad", "rows"), ("fd", "whole")):
        rows = [np.concatenate([np.atleast_2d(getattr(clip, part)) for clip in sides[s]]) for s in sides]
        assert tally.measure(f"{kind}_pocket", kind)[0].value == pytest.approx(frechet_distance(*rows), rel=1e-10)


def test_intervals_cover_what_other_draws_give():
    names = ("fad", "fd", "is", "kl", "kad")
    others = {kind: [] for kind in names}
    for seed in range(20, 50):
        tally = filled(seed, draws=0)
        for kind in names:
            others[kind].append(tally.measure(f"{kind}_pocket", kind)[0].value)
    tally = filled(1, draws=60)
    for kind in names:
        result, interval = tally.measure(f"{kind}_pocket", kind)
        assert interval.low <= result.value <= interval.high
        spread = np.std(others[kind]) * 2 * 1.96
        assert 0.5 * spread < interval.high - interval.low < 2 * spread, kind


def test_what_frechet_distances_keep_does_not_grow():
    def kept(clips):
        tally = filled(0, clips, kinds=("fad",), draws=0)
        return sum(part.nbytes for g in tally.gaussians.values() for one in g.groups for part in one._parts)

    assert kept(4000) < 1.5 * kept(400)


def test_few_clips_have_no_interval():
    result, interval = filled(0, clips=6).measure("fad_pocket", "fad")
    assert result.value > 0 and interval is None


@pytest.fixture
def weights(isolated_home):
    """Put small networks under the names of the published checkpoints."""
    folder = checkpoints.folder()
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    vggish = VGGish(VGGishConfig(channels=(4, 4, 8, 8, 8, 8), hidden=32, width=7))
    panns = Cnn14(Cnn14Config(channels=(2, 2, 3, 3, 4, 4), width=5, classes=6))
    torch.save(vggish.state_dict(), folder / checkpoints.CHECKPOINTS["vggish"].file)
    torch.save({"model": panns.state_dict()}, folder / checkpoints.CHECKPOINTS["panns"].file)
    return folder


def test_published_weights_are_opened_by_name_and_by_path(weights):
    for name, width in (("vggish", 7), ("panns", 5)):
        network = open_network(name)
        path = weights / checkpoints.CHECKPOINTS[name].file
        assert open_network(str(path)).sha256 == network.sha256
        assert (network.embedder.name, network.checkpoint) == (name, path.name)
        (found,) = network.embedder.embed([np.zeros(48_000, np.float32)])
        assert found.rows.shape[1] == width
    with pytest.raises(UsageError, match="Did you mean 'panns'"):
        open_network("pans")


def test_the_plan_prefers_the_standard(weights, monkeypatch):
    monkeypatch.setenv("AJ_OFFLINE", "1")
    told = []
    planner = Planner(EvalConfig(), "cpu", told.append)
    slots = {slot.name: slot for slot in planner.slots(True)}
    assert {"fad_vggish", "fd_panns", "is_panns", "kl_panns", "kl_sigmoid_panns", "kad_panns"} <= slots.keys()
    assert told == [] or all("laion" in text for text in told)
    assert slots["fad_vggish"].network is slots["fad_inf_vggish"].network
    both = Planner(EvalConfig(embedding=("vggish", "pocket"), metrics=("fad", "fd")), "cpu", told.append)
    assert [slot.name for slot in both.slots(True)] == ["fad_vggish", "fad_pocket", "fd_pocket"]
    alone = Planner(replace(EvalConfig(), embedding=("pocket",)), "cpu", told.append).slots(False)
    assert [slot.name for slot in alone if slot.kind != "clap"] == ["is_pocket"]
    with pytest.raises(UsageError, match="None of"):
        Planner(EvalConfig(embedding=("vggish",), metrics=("fd",)), "cpu", told.append).slots(True)
    with pytest.raises(MissingError, match="32 kHz"):
        Planner(EvalConfig(embedding=("panns-32k",), metrics=("fd",)), "cpu", told.append).slots(True)
