"""Clips of any lengths in batches give what each gives alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audiojourney.errors import UsageError
from audiojourney.metrics.conventions import convention
from audiojourney.metrics.embedders import PannsEmbedder, PocketEmbedder, VGGishEmbedder, embed_clips, prepared
from audiojourney.models.panns import Cnn14, Cnn14Config
from audiojourney.models.pocket.listener import Listener, ListenerConfig
from audiojourney.models.vggish import VGGish, VGGishConfig, example_count

EMBEDDERS = {"vggish": VGGishEmbedder, "panns": PannsEmbedder, "pocket": PocketEmbedder}


def embedder(kind):
    """A small network whose weights are so large that every clip is heard as another one."""
    kinds = {
        "vggish": lambda: VGGish(VGGishConfig(channels=(4, 4, 8, 8, 8, 8), hidden=32, width=7)),
        "panns": lambda: Cnn14(Cnn14Config(channels=(2, 2, 3, 3, 4, 4), width=5, classes=6)),
        "pocket": lambda: Listener(ListenerConfig(classes=("a", "b", "c"), widths=(4, 4, 8, 8))),
    }
    network = kinds[kind]().eval()
    random = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, generator=random)
    return EMBEDDERS[kind](network)


def clips(lengths=(48_000, 64_000, 48_000, 41_000, 64_000)):
    random = np.random.default_rng(0)
    waves = [random.normal(0, 0.1 * 0.5**n, length).astype(np.float32) for n, length in enumerate(lengths)]
    return [(f"clip {n}", wave) for n, wave in enumerate(waves)]


@pytest.mark.parametrize("kind", ("vggish", "panns", "pocket"))
@pytest.mark.parametrize("batch_s", (1.0, 6.0, 100.0))
def test_batches_change_nothing(kind, batch_s):
    network = embedder(kind)
    together = dict(embed_clips(network, clips(), batch_s=batch_s))
    assert list(together) == [name for name, _ in clips()]
    first = together["clip 0"].rows.mean(axis=0)
    assert not np.allclose(first, together["clip 2"].rows.mean(axis=0), rtol=1e-2)
    for name, wave in clips():
        (alone,) = network.embed([wave])
        for part in ("rows", "whole", "logits"):
            found, expected = getattr(together[name], part), getattr(alone, part)
            assert (found is None) == (expected is None)
            if found is not None:
                np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max(), rtol=1e-4)
                assert found.dtype == np.float32


def test_rows_of_each_network():
    _, wave = clips()[1]
    (vggish,) = embedder("vggish").embed([wave])
    assert vggish.rows.shape == (example_count(len(wave)), 7)
    assert vggish.whole is None and vggish.logits is None
    (panns,) = embedder("panns").embed([wave])
    assert (panns.rows.shape, panns.whole.shape, panns.logits.shape) == ((1, 5), (5,), (6,))
    (pocket,) = embedder("pocket").embed([wave])
    assert (pocket.rows.shape, pocket.whole.shape, pocket.logits.shape) == ((2, 16), (16,), (3,))


@pytest.mark.parametrize("kind", ("vggish", "panns", "pocket"))
def test_short_and_silent_clips_are_padded_and_finite(kind):
    network = embedder(kind)
    short = [("short", np.full(100, 0.1, np.float32)), ("silent", np.zeros(network.shortest, np.float32))]
    for _, heard in embed_clips(network, short):
        assert np.isfinite(heard.rows).all()
        assert len(heard.rows) == 1
    assert prepared(short[0][1], network.shortest, "short")[1]
    assert not prepared(short[1][1], network.shortest, "silent")[1]


def test_stream_holds_one_batch():
    held, seen = [], 0

    def stream():
        nonlocal seen
        for clip in clips((48_000,) * 12):
            seen += 1
            yield clip

    for number, _ in enumerate(embed_clips(embedder("vggish"), stream(), batch_s=9.0)):
        held.append(seen - number)
    assert max(held) == 3


def test_convention_removes_the_mean_and_pads():
    wave = np.full(20_000, 0.25, np.float32)
    ready, short = prepared(wave, 4960, "x", convention("audioldm_eval"))
    assert (len(ready), short) == (32_000, False)
    assert not ready.any()
    np.testing.assert_array_equal(prepared(wave, 4960, "x")[0], wave)


def test_broken_clips_are_named():
    network = embedder("vggish")
    for wave, told in (
        (np.zeros(0, np.float32), r"'bad' has the shape \(0,\)"),
        (np.zeros((2, 40_000), np.float32), r"\(2, 40000\)"),
        (np.array([0, np.nan, np.inf], np.float32), "2 samples of the clip 'bad'"),
    ):
        with pytest.raises(UsageError, match=told):
            list(embed_clips(network, [*clips(), ("bad", wave)]))
