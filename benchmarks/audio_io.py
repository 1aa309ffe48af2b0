"""Reading sounds on one core: `audiojourney.data.audio.load` beside the plain libsndfile read of the same file.

    python benchmarks/audio_io.py [--rate 16000] [--seconds 10] [--rounds 9]

Each file is stereo at 44.1 kHz (Opus 48 kHz). Printed are seconds of sound per second of processor time, and which
share of the plain read's speed is left when the sound is also checked, averaged over its channels and resampled. The
two take turns within every round, and the best round of each counts, so that a busy machine does not decide.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from audiojourney.data.audio import load
from audiojourney.data.resample import RESAMPLERS, resample

FORMATS = {
    "wav 16 bit": ("WAV", "PCM_16", 44_100),
    "wav float": ("WAV", "FLOAT", 44_100),
    "flac": ("FLAC", "PCM_16", 44_100),
    "ogg vorbis": ("OGG", "VORBIS", 44_100),
    "ogg opus": ("OGG", "OPUS", 48_000),
    "mp3": ("MP3", "MPEG_LAYER_III", 44_100),
}


def sound(seconds: float, rate_hz: int) -> np.ndarray:
    """Pinkish noise and a tone, float32, shape (T, 2)."""
    samples = int(seconds * rate_hz)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal((samples, 2)), axis=0)
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1))[:, None], samples, axis=0)
    tone = np.sin(2 * np.pi * 440 * np.arange(samples) / rate_hz)[:, None]
    return (0.3 * pink / np.abs(pink).max() + 0.3 * tone).astype(np.float32)


def write(path: Path, wave: np.ndarray, container: str, codec: str, rate_hz: int) -> None:
    """Write in blocks, because libsndfile's Vorbis encoder does not take long sounds at once."""
    with soundfile.SoundFile(path, "w", rate_hz, wave.shape[1], codec, format=container) as file:
        for start in range(0, len(wave), 65_536):
            file.write(wave[start : start + 65_536])


def best_s(calls: list[Callable[[], object]], rounds: int) -> list[float]:
    """Return the least processor time of each call; the calls take turns."""
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for number, call in enumerate(calls):
            start = time.process_time()
            call()
            best[number] = min(best[number], time.process_time() - start)
    return best


def compare_reading(seconds: float, rate_hz: int, rounds: int) -> None:
    """Print a line for each format."""
    print(f"{'':12}{'plain read':>12}{'to mono ' + str(rate_hz):>16}{'ratio':>8}   (x real time)")
    with tempfile.TemporaryDirectory() as folder:
        for name, (container, codec, native_hz) in FORMATS.items():
            path = Path(folder) / name.replace(" ", ".")
            write(path, sound(seconds, native_hz), container, codec, native_hz)
            calls = [lambda p=path: soundfile.read(p, dtype="float32"), lambda p=path: load(p, rate_hz)]
            plain, whole = best_s(calls, rounds)
            print(f"{name:12}{seconds / plain:12.0f}{seconds / whole:16.0f}{plain / whole:8.2f}")


def compare_resamplers(seconds: float, rounds: int) -> None:
    """Print a line for each pair of rates."""
    print(f"\n{'resample':18}" + "".join(f"{name:>10}" for name in RESAMPLERS) + "   (x real time)")
    for from_hz, to_hz in ((44_100, 16_000), (44_100, 32_000), (44_100, 48_000), (48_000, 16_000)):
        wave = sound(seconds, from_hz)[:, 0].copy()
        calls = [lambda name=name: resample(wave, from_hz, to_hz, name) for name in RESAMPLERS]  # noqa: B023
        times = best_s(calls, rounds)
        print(f"{from_hz:>6} to {to_hz:<8}" + "".join(f"{seconds / spent:10.0f}" for spent in times))


def main() -> None:
    """Parse the options and print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=int, default=16_000, help="rate to read at, in Hz")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the sound")
    parser.add_argument("--rounds", type=int, default=9, help="the best of so many counts")
    options = parser.parse_args()
    compare_reading(options.seconds, options.rate, options.rounds)
    compare_resamplers(options.seconds, options.rounds)


if __name__ == "__main__":
    main()
