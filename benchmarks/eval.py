"""Speed of measuring on one core, as ratios to what the field uses, in the same run on the same data.

    python benchmarks/eval.py [--only frechet|captions|embedding|memory] [--dimensions 2048] [--network pocket]

The Frechet distance stands beside the matrix root of scipy that the public programs take; it needs scipy and, at 2048
dimensions, minutes for the peer. The caption metrics stand beside the Python parts of pycocoevalcap, if it is installed
(`pip install --no-deps pycocoevalcap`). Embedding in batches stands beside one clip at a time. Times are processor
seconds, the best of repeats that take turns, since other programs may share the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from audiojourney.metrics.embedders import Embedder, PannsEmbedder, PocketEmbedder, VGGishEmbedder, embed_clips
from audiojourney.metrics.frechet import frechet_distance
from audiojourney.metrics.streams import RunningGaussian
from audiojourney.metrics.text.corpus import Corpus
from audiojourney.metrics.text.ngrams import bleu, cider_d
from audiojourney.metrics.text.rouge import rouge_l
from audiojourney.models.panns import Cnn14
from audiojourney.models.pocket.folders import load_listener
from audiojourney.models.vggish import VGGish

ROWS = 1000
ITEMS, REFERENCES = 1000, 5
CLIPS, CLIP_S = 200, 5.0
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
NETWORKS: dict[str, Callable[[], Embedder]] = {
    "pocket": lambda: PocketEmbedder(load_listener("pocket/listener")),
    "vggish": lambda: VGGishEmbedder(VGGish().eval()),
    "panns": lambda: PannsEmbedder(Cnn14().eval()),
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


def measure_embedding(network: str, clips: int) -> dict[str, float]:
    """Compare batches with one clip at a time."""
    embedder = NETWORKS[network]()
    waves = np.random.default_rng(0).normal(0, 0.1, (8, int(CLIP_S * embedder.rate_hz))).astype(np.float32)
    named = [(str(n), waves[n % len(waves)]) for n in range(clips)]
    list(embed_clips(embedder, named[:2]))  # caches of filters and windows
    together = seconds(lambda: list(embed_clips(embedder, named)), 2)
    alone = seconds(lambda: [embedder.embed([wave]) for _, wave in named], 2)
    return {
        f"embed_{network}_clips_per_s": clips / together,
        f"embed_{network}_one_by_one_clips_per_s": clips / alone,
        f"embed_{network}_times_faster": alone / together,
    }


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
