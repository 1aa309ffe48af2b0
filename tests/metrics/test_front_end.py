"""The quick log-mel is the ordinary one."""

from __future__ import annotations

import threading

import pytest
import torch

from audiojourney.data.mel import AUDIOLDM, GENAU, PANNS_16K, VGGISH, log_mel
from audiojourney.errors import UsageError
from audiojourney.metrics.front_end import BLOCK, QuickLogMel

WAVES = {samples: 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(0)) for samples in (2000, 48_013)}


@pytest.mark.parametrize("config", (GENAU, AUDIOLDM, PANNS_16K, VGGISH))
@pytest.mark.parametrize("samples", WAVES)
def test_equals_the_ordinary_one(config, samples):
    quick, plain = QuickLogMel(config)(WAVES[samples]), log_mel(WAVES[samples], config)
    assert quick.shape == plain.shape
    assert len(quick) % BLOCK, "the last block is not full"
    torch.testing.assert_close(quick, plain, rtol=1e-5, atol=1e-5)


def test_silence_and_shortness():
    quick = QuickLogMel(GENAU)(torch.zeros(16_000))
    torch.testing.assert_close(quick, torch.full_like(quick, GENAU.silence))
    with pytest.raises(UsageError, match="100 samples"):
        QuickLogMel(VGGISH)(torch.zeros(100))
    with pytest.raises(UsageError, match="432 samples"):
        QuickLogMel(GENAU)(torch.zeros(432))


def test_threads_have_their_own_buffers():
    mel, found, buffers = QuickLogMel(GENAU), {}, {}
    alone = {samples: mel(wave) for samples, wave in WAVES.items()}

    def listen(samples):
        found[samples] = [mel(WAVES[samples]) for _ in range(5)]
        buffers[samples] = mel._local.buffers

    threads = [threading.Thread(target=listen, args=(samples,)) for samples in WAVES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in [*buffers.values(), mel._local.buffers]}) == 3
    for samples, expected in alone.items():
        assert all(torch.equal(one, expected) for one in found[samples])
