"""Putting sounds together: levels, time, distance, room."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp
from audiojourney.data.scenes.dsp import Signal

Events = tuple[tuple[float, float], ...]

# The level of a sound is taken over frames of this length that are at most so far below its loudest frame: the pauses
# between knocks do not count, as in the active speech level of ITU-T P.56.
FRAME_S = 0.05
ACTIVE_DB = 20.0

# Two sounds are heard together when the shorter one lies within the span of the other by at least this share.
SHARED_SPAN = 0.3


def active_level_db(wave: Signal, rate_hz: int) -> float:
    """Level of a sound while it sounds, in dB re full scale.

    Args:
        wave: shape (T,), not all zero.
        rate_hz: sampling rate.

    Returns:
        Root mean square over the active frames of 50 ms, in dB; -inf for silence.
    """
    frames = _powers(wave, rate_hz)
    power = float(frames[_active(frames)].mean())
    return 10 * float(np.log10(power)) if power > 0 else -float("inf")


def active_share(wave: Signal, rate_hz: int) -> float:
    """Share of the 50 ms frames of a sound of shape (T,) that count as active."""
    return float(_active(_powers(wave, rate_hz)).mean())


def _powers(wave: Signal, rate_hz: int) -> Signal:
    size = max(1, min(len(wave), round(FRAME_S * rate_hz)))
    return np.square(wave[: len(wave) // size * size], dtype=np.float64).reshape(-1, size).mean(axis=1)


def _active(frames: Signal) -> np.ndarray:
    return frames >= frames.max() * 10 ** (-ACTIVE_DB / 10)


def to_level(wave: Signal, rate_hz: int, level_db: float) -> Signal:
    """Scale a sound of shape (T,) so that its active level becomes `level_db`."""
    return wave * 10 ** ((level_db - active_level_db(wave, rate_hz)) / 20)


def far_away(wave: Signal, rate_hz: int, cutoff_hz: float) -> Signal:
    """What air and obstacles leave of a sound of shape (T,): a gentle low-pass of 6 dB per octave."""
    return dsp.band_pass(wave, rate_hz, 0, cutoff_hz, order=1)


def lay_out(wave: Signal, rate_hz: int, samples: int, start_s: float, fade_s: float) -> Signal:
    """Place a sound on an empty track.

    Args:
        wave: shape (T,).
        rate_hz: sampling rate.
        samples: length of the track; what reaches beyond is cut.
        start_s: where the sound begins.
        fade_s: length of the fade at each end of the sound that does not lie at an end of the track.

    Returns:
        Track of shape (samples,).
    """
    track = np.zeros(samples)
    start = round(start_s * rate_hz)
    in_s = fade_s if start > 0 else 0.0
    out_s = fade_s if start + len(wave) < samples else 0.0
    faded = dsp.fade(wave, rate_hz, in_s, out_s) if in_s or out_s else wave
    dsp.add_at(track, faded, start)
    return track


def span(events: Events) -> tuple[float, float]:
    """Start of the first and end of the last event, in seconds."""
    return min(start for start, _ in events), max(end for _, end in events)


def shift_to_meet(events: Events, other: Events) -> float:
    """How far to move `events` so that they are heard together with `other`.

    Returns:
        Seconds, at most 0 (earlier): 0 where the spans share enough time, or where `events` do not come later.
    """
    (start_s, end_s), (other_start_s, other_end_s) = span(events), span(other)
    shared_s = min(end_s, other_end_s) - max(start_s, other_start_s)
    if shared_s >= SHARED_SPAN * min(end_s - start_s, other_end_s - other_start_s):
        return 0.0
    return min(0.0, other_start_s - start_s)
