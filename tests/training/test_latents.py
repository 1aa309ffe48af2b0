"""The latent cache is small, exact enough, written once and tied to what it was made of."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from audiojourney.data.bank import WaveBank
from audiojourney.data.clip import Clip
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.training import latents
from audiojourney.training.latents import normalised, open_latents


class Linear(nn.Module):
    """Projects patches of four mel frames to 64 channels, as large as GenAu's."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.conv = nn.Conv1d(64, 64, 4, stride=4)
        self.calls = 0

    def encode(self, mel: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.conv(mel.transpose(1, 2))


def bank(lengths: tuple[int, ...] = (16_000, 40_123, 8_000), seed: int = 0) -> WaveBank:
    rng = np.random.default_rng(seed)
    samples = rng.integers(-20_000, 20_000, sum(lengths)).astype(np.int16)
    clips = tuple(Clip(path=Path(f"{i}.wav"), id=str(i)) for i in range(len(lengths)))
    return WaveBank(samples, np.cumsum([0, *lengths]), clips, 16_000, "key")


def expected(waves: WaveBank, network: Linear, index: int) -> np.ndarray:
    wave = waves.wave(index)
    wave = torch.from_numpy(np.pad(wave, (0, -len(wave) % 640)))[None]
    with torch.no_grad():
        return network.encode(log_mel(normalised(wave), GENAU))[0].numpy()


@pytest.mark.parametrize(("precision", "tolerance"), [("7bit", 1 / 126), ("fp16", 1e-3)])
def test_every_clip_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, tolerance: float):
    monkeypatch.setattr(latents, "SHARD", 2)
    waves, network = bank(), Linear()
    cache = open_latents(waves, network, folder=tmp_path, precision=precision)
    assert len(cache) == 3 and len(cache.shards) == 2
    for index in range(3):
        wanted, found = expected(waves, network, index), cache[index]
        assert found.shape == wanted.shape == (64, -(-len(waves.wave(index)) // 640)) and found.dtype == np.float32
        spread = wanted.max(1, keepdims=True) - wanted.min(1, keepdims=True)
        assert (np.abs(found - wanted) <= 0.52 * tolerance * spread + 2e-3 * (precision == "fp16")).all()


def test_at_least_95_percent_smaller_than_the_waves(tmp_path: Path):
    cache = open_latents(bank((163_840,) * 4), Linear(), folder=tmp_path)
    on_disk = sum(path.stat().st_size for path in cache.folder.iterdir())
    assert on_disk <= 0.05 * 2 * 4 * 163_840
    assert cache.saving == pytest.approx(1 - cache.latent_bytes / (2 * 4 * 163_840))
    assert cache.saving >= 0.95


def test_the_error_is_below_the_least_noise_of_the_schedule(tmp_path: Path):
    network, waves = Linear(), bank((163_840,))
    wanted, found = expected(waves, network, 0), open_latents(waves, network, folder=tmp_path)[0]
    error = (found - wanted).std(1) / wanted.std(1)
    least = float(NoiseSchedule.scaled_linear().sigma(torch.zeros(1, dtype=torch.long)))
    assert error.max() < 0.6 * least


def test_a_channel_that_stands_still_comes_back(tmp_path: Path):
    network = Linear()
    nn.init.zeros_(network.conv.weight[3:5])
    nn.init.constant_(network.conv.bias[3:5], 1.5)
    cache = open_latents(bank(), network, folder=tmp_path)
    assert (cache[0][3:5] == 1.5).all()


def test_written_once_and_again_only_for_other_clips_or_weights(tmp_path: Path):
    network = Linear()
    first = open_latents(bank(), network, folder=tmp_path)
    assert open_latents(bank(), network, folder=tmp_path).folder == first.folder and network.calls == 3
    others = [
        open_latents(bank(seed=1), network, folder=tmp_path),
        open_latents(bank(), Linear(1), folder=tmp_path),
        open_latents(bank(), network, folder=tmp_path, precision="fp16"),
    ]
    assert len({first.folder, *(cache.folder for cache in others)}) == 4


def test_a_killed_encoding_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(latents, "SHARD", 1)
    network = Linear()
    done = []

    def dies(number: int, total: int) -> None:
        done.append((number, total))
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_latents(bank(), network, folder=tmp_path, on_shard=dies)
    cache = open_latents(bank(), network, folder=tmp_path)
    assert done == [(1, 3), (2, 3)] and network.calls == 3
    np.testing.assert_allclose(cache[0], expected(bank(), network, 0), atol=0.05)


def test_the_network_comes_back_as_it_was(tmp_path: Path):
    network = Linear().train()
    open_latents(bank(), network, folder=tmp_path)
    assert network.training and torch.is_grad_enabled() and network.conv.weight.requires_grad


def test_reading_maps_and_copies_only_what_is_asked_for(tmp_path: Path):
    cache = open_latents(bank(), Linear(), folder=tmp_path)
    assert all(isinstance(array, np.memmap) for shard in cache.shards for array in shard.values())
    piece = cache[1]
    piece[:] = 0
    assert np.abs(cache[1]).max() > 0
