"""Changes and mixtures of log-mel spectrograms, so that few recordings become many examples without any waveform.

Energies of unrelated sounds add up, so mixing is done on squared magnitudes; the rest is done on logarithms.

F mel frames, M mel bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiojourney.data.mel import GENAU

LOG = np.ndarray  # log-mel, natural logarithm of magnitude, float32, shape (F, M)

SOUNDING = 35 / 20 * np.log(10)  # frames down to 35 dB below the loudest count as sounding
EDGE = 5  # frames over which a piece is faded in and out


@dataclass(frozen=True, kw_only=True)
class Variation:
    """How much one sound is changed.

    Attributes:
        stretch: largest change of its length, as a natural logarithm.
        shift: largest move along the mel axis, in bins.
        colour: standard deviation of the slowest wave of a random frequency response, in natural-log units.
        dull: share of sounds that lose their high frequencies, as from afar.
    """

    stretch: float = 0.22
    shift: float = 3.0
    colour: float = 0.5
    dull: float = 0.15


def vary(mel: LOG, how: Variation, rng: np.random.Generator) -> LOG:
    """Stretch a sound in time, move it in frequency, and give it another colour; its length changes."""
    bins = mel.shape[1]
    frames = max(8, round(len(mel) * float(np.exp(rng.uniform(-how.stretch, how.stretch)))))
    out = _sampled(mel, np.linspace(0, len(mel) - 1, frames), 0)
    out = _sampled(out, np.arange(bins) + rng.uniform(-how.shift, how.shift), 1)
    return (out + _response(bins, how, rng)).astype(np.float32)


def _sampled(mel: LOG, places: np.ndarray, axis: int) -> LOG:
    """Read a spectrogram between its rows or columns; beyond its ends the last value stays."""
    last = mel.shape[axis] - 1
    places = np.clip(places, 0, last)
    low = np.minimum(places.astype(np.int64), max(last - 1, 0))
    share = (places - low).astype(np.float32)
    share = share[:, None] if axis == 0 else share[None]
    upper = np.take(mel, np.minimum(low + 1, last), axis)
    return (1 - share) * np.take(mel, low, axis) + share * upper


def _response(bins: int, how: Variation, rng: np.random.Generator) -> np.ndarray:
    """A smooth random frequency response in natural-log units, shape (bins,)."""
    place = (np.arange(bins) + 0.5) / bins
    waves = [rng.normal(0, how.colour / k) * np.cos(np.pi * k * place + rng.uniform(0, 2 * np.pi)) for k in range(1, 5)]
    response = np.sum(waves, axis=0)
    if rng.random() < how.dull:
        response -= np.maximum(0, place - rng.uniform(0.35, 0.8)) * rng.uniform(3, 12)
    return response


def loudness(mel: LOG) -> np.ndarray:
    """Natural logarithm of the magnitude of each frame, shape (F,)."""
    return 0.5 * np.log(np.exp(2 * mel).sum(axis=1))


def sounding(mel: LOG) -> np.ndarray:
    """Whether a sound can be heard in each frame, bool, shape (F,)."""
    level = loudness(mel)
    return level >= level.max() - SOUNDING


def trimmed(mel: LOG) -> LOG:
    """The part from the first to the last frame that sounds."""
    heard = np.flatnonzero(sounding(mel))
    return mel[heard[0] : heard[-1] + 1]


def excerpt(mel: LOG, frames: int, rng: np.random.Generator, tries: int = 6) -> LOG:
    """A random part of at most `frames` frames, one in which something sounds."""
    if len(mel) <= frames:
        return mel
    level = loudness(mel)
    start = 0
    for _ in range(tries):
        start = int(rng.integers(len(mel) - frames + 1))
        if level[start : start + frames].max() >= level.max() - 2.0:
            break
    return mel[start : start + frames]


def prolonged(mel: LOG, frames: int, rng: np.random.Generator) -> LOG:
    """A sound that goes on, repeated from a random place on until it fills `frames` frames."""
    turned = np.roll(mel, int(rng.integers(len(mel))), axis=0)
    return np.concatenate([turned] * -(-frames // len(mel)))[:frames]


def placed(mel: LOG, frames: int, start: int) -> LOG:
    """A sound in a stretch of silence of `frames` frames, faded where it does not reach the end of that stretch."""
    out = np.full((frames, mel.shape[1]), GENAU.silence, np.float32)
    piece = mel[: frames - start]
    out[start : start + len(piece)] = piece
    ramp = np.linspace(4.0, 0.0, EDGE, dtype=np.float32)[: len(piece), None]
    if start > 0:
        out[start : start + len(ramp)] -= ramp
    if start + len(piece) < frames:
        out[start + len(piece) - len(ramp) : start + len(piece)] -= ramp[::-1]
    return np.maximum(out, GENAU.silence)


def levelled(mel: LOG, level: float) -> LOG:
    """A sound at a level: the mean energy of its sounding frames becomes exp(2 * level)."""
    loud = loudness(mel)
    active = loud[loud >= loud.max() - 2.3]
    return mel + np.float32(level - 0.5 * np.log(np.exp(2 * active).mean()))


def mixed(parts: Sequence[LOG]) -> LOG:
    """Sounds at once: their energies added, all of one shape (F, M)."""
    energy = np.sum([np.exp(2 * part) for part in parts], axis=0)
    return (0.5 * np.log(energy)).astype(np.float32)


def noise(frames: int, bins: int, rng: np.random.Generator) -> LOG:
    """Steady noise of a random colour, shape (frames, bins)."""
    place = (np.arange(bins) + 0.5) / bins
    tilt = rng.uniform(-0.5, 4.0) * -place + _response(bins, Variation(dull=0.0), rng)
    grain = 0.5 * np.log(rng.gamma(3.0, 1 / 3, (frames, bins)))
    return (tilt + grain).astype(np.float32)


def blanked(mel: LOG, hidden: tuple[int, int], rng: np.random.Generator) -> LOG:
    """Hide one band of up to `hidden[0]` frames and one of up to `hidden[1]` bins (SpecAugment, Park et al. 2019)."""
    out, floor = mel.copy(), mel.min()
    for axis, most in enumerate(hidden):
        length = int(rng.integers(min(most, mel.shape[axis] // 4) + 1))
        start = int(rng.integers(mel.shape[axis] - length + 1))
        out[(slice(None),) * axis + (slice(start, start + length),)] = floor
    return out
