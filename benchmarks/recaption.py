"""`aj recaption` beside a bare loop over the same clips with the same models, the speed of its reading, and its memory.

    python benchmarks/recaption.py [--clips 2000] [--seconds 2] [--cost-ms 5] [--many 20000]

The models here stand for real ones: a captioner and a scorer that each multiply matrices for a fixed time a clip. The
bare loop reads a clip, captions a batch, scores it and keeps the rows in a list: no threads, no checks, nothing that
survives being killed. Counted is processor time, so that a busy machine does not decide. Memory is the highest of a
process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import soundfile

from audiojourney.captions.base import Answer, Subject
from audiojourney.captions.names import CAPTIONERS, CaptionerOptions
from audiojourney.data.audio import load
from audiojourney.data.clip import Caption, Clip
from audiojourney.data.manifest import read_clips
from audiojourney.recipes.recaption import models
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.decode import hear
from audiojourney.recipes.recaption.inputs import Job
from audiojourney.recipes.recaption.run import run

RATE_HZ, BATCH, SIDE, TURNS = 16_000, 8, 192, 2


class Burner:
    """Multiplies matrices for a fixed number of rounds a clip; captions and scores are of no meaning."""

    name, kind, model, sample_rate_hz = "burner", "model", "burner", RATE_HZ
    rounds = 0

    def __init__(self) -> None:
        self.matrix = np.random.default_rng(0).standard_normal((SIDE, SIDE)).astype(np.float32)

    def burn(self) -> None:
        """Spend the time of one clip."""
        for _ in range(self.rounds):
            self.matrix @ self.matrix

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        """One caption a clip."""
        for _ in subjects:
            self.burn()
        return [Answer((Caption(f"a sound drawn with {subject.seed}", self.name, "model"),)) for subject in subjects]

    def score(self, waves: Sequence[np.ndarray], texts: Sequence[Sequence[str]]) -> list[list[float]]:
        """One score a caption."""
        for _ in waves:
            self.burn()
        return [[0.5 for _ in group] for group in texts]


def build(options: CaptionerOptions) -> Burner:
    """Stand for a captioner."""
    return Burner()


def scorer(device: str, dtype: str) -> Burner:
    """Stand for a scorer."""
    return Burner()


def calibrate(cost_ms: float) -> int:
    """Return the rounds that take half of `cost_ms`, captioner and scorer together the whole."""
    burner = Burner()
    burner.rounds = 50
    start = time.process_time()
    for _ in range(20):
        burner.burn()
    return max(1, round(cost_ms / 2 / ((time.process_time() - start) * 1000 / 20 / 50)))


def write_flac(path: Path, seconds: float, rate_hz: int, channels: int) -> None:
    """Write noise with a tone."""
    samples = int(seconds * rate_hz)
    noise = np.random.default_rng(0).standard_normal((samples, channels))
    smooth = np.cumsum(noise, axis=0) / 100
    tone = np.sin(2 * np.pi * 440 * np.arange(samples) / rate_hz)[:, None]
    wave = 0.2 * tone + 0.02 * noise + 0.1 * smooth / np.abs(smooth).max()
    soundfile.write(path, wave.astype(np.float32), rate_hz, format="FLAC", subtype="PCM_16")


def lay_out(folder: Path, clips: int, seconds: float) -> None:
    """Write one sound and a list of so many clips of it."""
    write_flac(folder / "a.flac", seconds, RATE_HZ, 1)
    lines = (json.dumps({"file_name": "a.flac", "id": f"{number:07d}"}) + "\n" for number in range(clips))
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")


def bare(folder: Path) -> None:
    """Do what a first script does."""
    captioner, judge = build(CaptionerOptions()), scorer("cpu", "fp32")
    clips, rows = read_clips(folder), []
    for start in range(0, len(clips), BATCH):
        batch = clips[start : start + BATCH]
        waves = [load(clip.path, RATE_HZ) for clip in batch]
        pairs = zip(batch, waves, strict=True)
        answers = captioner.caption([Subject(clip, wave, number) for number, (clip, wave) in enumerate(pairs)], 1)
        scores = judge.score(waves, [[answer.captions[0].text] for answer in answers])
        told = zip(batch, answers, scores, strict=True)
        rows += [{"id": clip.id, "text": answer.captions[0].text, "score": score} for clip, answer, score in told]
    (folder / "bare.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def ours(folder: Path, output: str) -> None:
    """Do the same by `aj recaption`, in this process."""
    config = RecaptionConfig(
        inputs=(str(folder),), output=folder / output, captioner="burner", clap="burner", isolate=False, device="cpu"
    )
    run(config)


def compare(clips: int, seconds: float, cost_ms: float) -> None:
    """Print the processor time of both, and the overhead; the best of a few turns counts."""
    Burner.rounds = calibrate(cost_ms)
    best = {"bare loop": [float("inf")] * 2, "aj recaption": [float("inf")] * 2}
    with tempfile.TemporaryDirectory() as name:
        lay_out(Path(name), clips, seconds)
        for turn in range(TURNS):
            calls = (lambda: bare(Path(name)), lambda turn=turn: ours(Path(name), f"out{turn}/captions.jsonl"))
            for label, call in zip(best, calls, strict=True):
                cpu, wall = time.process_time(), time.perf_counter()
                call()
                spent = (time.process_time() - cpu, time.perf_counter() - wall)
                best[label] = [min(pair) for pair in zip(best[label], spent, strict=True)]
    print(f"{clips} clips of {seconds:g} s, models of {cost_ms:g} ms a clip")
    for label, (cpu, wall) in best.items():
        print(f"{label:14}{cpu:8.2f} s of processor{wall:8.2f} s by the clock{clips / wall:8.1f} clips/s")
    ratio = best["aj recaption"][0] / best["bare loop"][0]
    print(f"overhead {100 * (ratio - 1):.1f} % (aim: 15 % at most)\n")


def reading() -> None:
    """Print how much faster than real time one core reads flac for the models, beside the plain read."""
    seconds = 10.0
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a.flac"
        write_flac(path, seconds, 44_100, 2)
        job = Job(Clip(path=path, id="a"), "")
        calls = {
            "plain read": lambda: soundfile.read(path, dtype="float32"),
            "one rate": lambda: hear(job, (16_000, None)),
            "two rates": lambda: hear(job, (16_000, 32_000)),
        }
        best = dict.fromkeys(calls, float("inf"))
        for _ in range(30):
            for label, call in calls.items():
                start = time.process_time()
                call()
                best[label] = min(best[label], time.process_time() - start)
    print("reading 10 s of flac, 44.1 kHz stereo, with checks")
    for label, spent in best.items():
        print(f"{label:14}{seconds / spent:8.0f} x real time{best['plain read'] / spent:8.2f} of the plain read")
    print("(aim: 800 x real time per core)\n")


def memory(many: int) -> None:
    """Print the highest memory of a run of many clips beside one of a tenth."""
    highest = []
    for clips in (many // 10, many):
        command = [sys.executable, __file__, "--only-memory", str(clips)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        highest.append(int(done.stdout))
        print(f"memory of {clips:6d} clips: {highest[-1] / 1024:.0f} MiB")
    print(f"ratio {highest[1] / highest[0]:.2f} (aim: 1.1 at most)")


def only_memory(clips: int) -> None:
    """Caption so many short clips and print the highest memory in KiB."""
    with tempfile.TemporaryDirectory() as name:
        lay_out(Path(name), clips, 0.1)
        ours(Path(name), "out.jsonl")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> None:
    """Parse the options and print all comparisons."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a clip")
    parser.add_argument("--cost-ms", type=float, default=5.0, help="what the models cost a clip")
    parser.add_argument("--many", type=int, default=20_000, help="clips of the memory run")
    parser.add_argument("--only-memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    CAPTIONERS.register("burner", "__main__:build")
    models.SCORERS.register("burner", "__main__:scorer")
    if options.only_memory:
        only_memory(options.only_memory)
        return
    compare(options.clips, options.seconds, options.cost_ms)
    reading()
    memory(options.many)


if __name__ == "__main__":
    main()
