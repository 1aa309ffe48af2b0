"""Speed of measuring, as ratios to what the field uses, in the same run on the same data.

    python benchmarks/eval.py [--only frechet|captions|embedding|memory] [--dimensions 2048] [--network pocket]

The Frechet distance stands beside the matrix root of scipy that the public programs take; it needs scipy and, at 2048
dimensions, minutes for the peer. The caption metrics stand beside the Python parts of pycocoevalcap, if it is installed
(`pip install --no-deps pycocoevalcap`). Embedding files by the threads of `aj eval` stands beside one file at a time.
Times are processor seconds, for embedding also seconds by the clock, the best of repeats that take turns, since other
programs may share the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of numpy; torch is told how many it may use
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave the processor to others

import numpy as np
import torch

from audiojourney.data.audio import load
from audiojourney.data.clip import Clip
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.data.write import save_audio
from audiojourney.metrics.conventions import OURS
from audiojourney.metrics.embedders import PannsEmbedder, VGGishEmbedder, windows
from audiojourney.metrics.frechet import frechet_distance
from audiojourney.metrics.streams import RunningGaussian
from audiojourney.metrics.text.corpus import Corpus
from audiojourney.metrics.text.ngrams import bleu, cider_d
from audiojourney.metrics.text.rouge import rouge_l
from audiojourney.models.panns import Cnn14
from audiojourney.models.pocket.folders import load_listener
from audiojourney.models.vggish import VGGish, examples_of
from audiojourney.recipes.eval.listen import Ears, processors
from audiojourney.recipes.eval.networks import Network, open_network

ROWS = 1000
ITEMS, REFERENCES = 1000, 5
CLIPS, CLIP_S, CLIP_HZ = 200, 5.0, 44_100
THINGS = [
    "dog",
    "cat",
    "bird",
    "truck",
    "bell",
    "engine",
    "river",
    "crowd",
    "door",
    "kettle",
    "train",
    "siren",
    "baby",
    "saw",
    "whistle",
    "clock",
]
DEEDS = [
    "barks",
    "meows",
    "sings",
    "passes",
    "rings",
    "idles",
    "flows",
    "claps",
    "creaks",
    "whistles",
    "rattles",
    "wails",
    "cries",
    "buzzes",
    "blows",
    "ticks",
]
PLACES = ("in the distance", "nearby", "while wind blows", "in a large hall", "under light rain", "twice", "loudly")
NETWORKS: dict[str, Any] = {
    "pocket": None,
    "vggish": lambda: VGGishEmbedder(VGGish()),
    "panns": lambda: PannsEmbedder(Cnn14()),
}


def seconds(call: Callable[[], Any], repeats: int = 1) -> float:
    """Return the least processor time of a call."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def measure_frechet(dimensions: int) -> dict[str, float]:
    """Compare with the root of the product of covariances; statistics are computed on both sides of the comparison."""
    linalg = importlib.import_module("scipy.linalg")
    random = np.random.default_rng(0)
    x, y = (np.maximum(random.normal(shift, 1, (ROWS, dimensions)), 0).astype(np.float32) for shift in (0.0, 0.1))

    def peer() -> float:
        a, b = (np.cov(side, rowvar=False) for side in (x, y))
        root = linalg.sqrtm(a @ b)
        means = np.square(x.mean(axis=0) - y.mean(axis=0)).sum()
        return float(means + np.trace(a) + np.trace(b) - 2 * np.trace(root).real)

    ours = seconds(lambda: frechet_distance(x, y), 3)
    theirs = seconds(peer)
    return {"frechet_s": ours, "frechet_sqrtm_s": theirs, "frechet_times_faster": theirs / ours}


def sentences(random: np.random.Generator) -> str:
    """Make a caption of up to three events."""
    events = []
    for _ in range(random.integers(1, 4)):
        thing, deed, place = (table[random.integers(len(table))] for table in (THINGS, DEEDS, PLACES))
        events.append(f"a {thing} {deed} {place}")
    return " and ".join(events)


def measure_captions() -> dict[str, float]:
    """Compare BLEU, ROUGE-L and CIDEr-D of the same tokenised captions."""
    random = np.random.default_rng(0)
    references = {str(i): [sentences(random) for _ in range(REFERENCES)] for i in range(ITEMS)}
    candidates = {name: [sentences(random)] for name in references}

    def ours() -> tuple[Any, float, float]:
        split = {name: [text.split() for text in texts] for name, texts in references.items()}
        corpus = Corpus.of_tokens({name: text.split() for name, (text,) in candidates.items()}, split)
        return bleu(corpus).corpus, float(rouge_l(corpus).mean()), float(cider_d(corpus).mean())

    found = {"captions_s": seconds(ours, 5)}
    try:
        parts = [("bleu.bleu", "Bleu"), ("rouge.rouge", "Rouge"), ("cider.cider", "Cider")]
        scorers = [getattr(importlib.import_module(f"pycocoevalcap.{path}"), name)() for path, name in parts]
    except ImportError:
        return found

    def peer() -> list[Any]:
        with contextlib.redirect_stdout(io.StringIO()):
            return [scorer.compute_score(references, candidates)[0] for scorer in scorers]

    np.testing.assert_allclose(np.hstack(peer()), np.hstack(ours()), rtol=1e-9)
    theirs = seconds(peer, 3)
    return {**found, "captions_pycocoevalcap_s": theirs, "captions_times_faster": theirs / found["captions_s"]}


def plain_network(network: str) -> tuple[int, Callable[[np.ndarray], Any]]:
    """Return the rate and the ordinary way to hear one clip: the front-end and the module, one clip a batch."""
    if network == "pocket":
        listener = load_listener("pocket/listener")

        def hear(wave: np.ndarray) -> Any:
            mel = log_mel(torch.from_numpy(wave)[None])
            features = listener.features(mel)
            return listener.features(windows(mel)[0]), features, listener.head(features)

        return GENAU.rate_hz, hear
    if network == "vggish":
        vggish = VGGish().eval()
        return VGGish.rate_hz, lambda wave: vggish(examples_of(torch.from_numpy(wave)))
    panns = Cnn14().eval()
    return panns.config.rate_hz, lambda wave: panns(torch.from_numpy(wave)[None])


def write_clips(folder: Path, clips: int) -> list[Clip]:
    """Write clips of noise at 44.1 kHz, each another one."""
    random, made = np.random.default_rng(0), []
    for number in range(clips):
        path = folder / f"{number:04d}.wav"
        save_audio(path, random.normal(0, 0.1, int(CLIP_S * CLIP_HZ)).clip(-1, 1).astype(np.float32), CLIP_HZ)
        made.append(Clip(path=path, id=path.stem))
    return made


def measure_embedding(network: str, clips: int, repeats: int = 2) -> dict[str, float]:
    """Compare what `aj eval` does with files with one file after the other: decode, resample, mel, network.

    The other way has torch's threads at its disposal or a single one, whichever is faster here. These are the best of
    repeats that take turns: clips a second by the clock, and the ratio of processor seconds beside it, which other
    programs on the machine move less.
    """
    opened = open_network("pocket") if network == "pocket" else Network(NETWORKS[network](), network, "")
    rate_hz, hear = plain_network(network)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        sounds = write_clips(Path(folder), clips)
        ways = {
            "ours": (processors(), lambda: list(Ears([opened], OURS, None).listen(sounds))),
            "one": (1, lambda: [hear(load(sound.path, rate_hz)) for sound in sounds]),
            "all": (processors(), lambda: [hear(load(sound.path, rate_hz)) for sound in sounds]),
        }
        best = {name: (float("inf"), float("inf")) for name in ways}
        for _ in range(repeats):
            for name, (threads, way) in ways.items():
                torch.set_num_threads(threads)
                best[name] = tuple(map(min, best[name], clock(way)))
    wall = min(best["one"][0], best["all"][0])
    return {
        f"embed_{network}_clips_per_s": clips / best["ours"][0],
        f"embed_{network}_one_by_one_clips_per_s": clips / wall,
        f"embed_{network}_times_faster": wall / best["ours"][0],
        f"embed_{network}_times_less_processor": min(best["one"][1], best["all"][1]) / best["ours"][1],
    }


def clock(call: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds that a call takes by the clock, and of the processors."""
    start, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - busy


def measure_memory() -> dict[str, float]:
    """Compare what a stream of 10,000 clips holds with a stream of 1,000."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(10, 128))
    peaks = []
    for clips in (1_000, 10_000):
        tracemalloc.start()
        running = RunningGaussian()
        for _ in range(clips):
            running.update(rows + random.normal())
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    return {"stream_1000_mb": peaks[0], "stream_10000_mb": peaks[1], "stream_memory_ratio": peaks[1] / peaks[0]}


def main() -> None:
    """Measure and print, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--only", choices=("frechet", "captions", "embedding", "memory"), help="measure this part alone"
    )
    parser.add_argument("--dimensions", type=int, default=2048, help="numbers of an embedding")
    parser.add_argument("--network", choices=NETWORKS, default="pocket", help="which network listens")
    parser.add_argument("--clips", type=int, default=CLIPS, help="clips that it listens to")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    torch.set_num_threads(1)
    parts: dict[str, Callable[[], dict[str, float]]] = {
        "frechet": lambda: measure_frechet(options.dimensions),
        "captions": measure_captions,
        "embedding": lambda: measure_embedding(options.network, options.clips),
        "memory": measure_memory,
    }
    for name, part in parts.items():
        if options.only in (None, name):
            found = part()
            text = json.dumps(found) if options.json else "\n".join(f"{k:40} {v:10.3f}" for k, v in found.items())
            print(text, flush=True)


if __name__ == "__main__":
    main()
