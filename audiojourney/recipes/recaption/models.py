"""The captioner and the scorer of a run, loaded once a process."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiojourney import hub
from audiojourney.captions.base import Captioner, Scorer
from audiojourney.captions.names import CaptionerOptions, build_captioner
from audiojourney.errors import UsageError
from audiojourney.recipes.recaption.config import NO_SCORER, RecaptionConfig
from audiojourney.recipes.recaption.keys import digest, settings_that_matter
from audiojourney.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Scorers of one's own, name to a function of device and dtype; all others are those of `models.clap.load`.
SCORERS = Registry("scorer", {})
_loaded: dict[str, Models] = {}


@dataclass(frozen=True)
class Models:
    """What listens and writes.

    Attributes:
        captioner: writes captions.
        scorer: measures them, or None.
        on_gpu: whether the networks run on a GPU, where batches pay and cost the last digits of a score.
    """

    captioner: Captioner
    scorer: Scorer | None
    on_gpu: bool

    @property
    def identity(self) -> dict[str, str]:
        """Name and revision of both, as they go into the key of a run."""
        scorer = (self.scorer.name, self.scorer.model) if self.scorer else ("", "")
        return {"captioner": self.captioner.name, "score_name": scorer[0], "scorer": scorer[1]}

    @property
    def rates_hz(self) -> tuple[int | None, int | None]:
        """The rates that captioner and scorer listen at; None for one that does not."""
        return self.captioner.sample_rate_hz, self.scorer.sample_rate_hz if self.scorer else None


def load_models(config: RecaptionConfig) -> Models:
    """Return the models of a run; those that were loaded last are kept.

    Raises:
        UsageError: a setting that the captioner does not know.
        MissingError: weights, or an extra, are absent.
    """
    wanted = digest([settings_that_matter(config), config.device])
    if wanted not in _loaded:
        _loaded.clear()  # one set at a time fits into memory
        _loaded[wanted] = _load(config)
    return _loaded[wanted]


def check_identity(models: Models, expected: Mapping[str, str]) -> None:
    """Refuse to go on with other weights than those that made the stored rows.

    Raises:
        UsageError: they differ.
    """
    for name, now in models.identity.items():
        if expected.get(name) != now:
            told = f"The {name} is {now!r} now; the stored captions were made with {expected.get(name)!r}."
            raise UsageError(told, "Start again with --force, or write elsewhere with -o.")


def _load(config: RecaptionConfig) -> Models:
    _limit_threads()
    options = CaptionerOptions(
        model=config.model,
        device=config.device,
        dtype=config.dtype,
        offline=hub.offline(),
        endpoint=config.endpoint,
        examples=config.examples,
        settings=config.options,
    )
    captioner = build_captioner(config.captioner, options)
    scorer = open_scorer(config.clap, config.device, config.dtype) if config.clap != NO_SCORER else None
    return Models(captioner, scorer, _on_gpu(config.device))


def open_scorer(name: str, device: str, dtype: str) -> Scorer:
    """Open a scorer by name: one of `SCORERS`, else as `audiojourney.models.clap.load` does."""
    if name in SCORERS:
        registered: Scorer = SCORERS.load(name)(device, dtype)
        return registered
    from audiojourney.models.clap.load import load_scorer

    opened: Callable[..., Scorer] = load_scorer
    return opened(name, device, dtype)


def _limit_threads() -> None:
    """Obey `AJ_NUM_THREADS` without loading torch for captioners that do without."""
    threads = os.environ.get("AJ_NUM_THREADS", "")
    if threads.isdigit() and int(threads):
        os.environ.setdefault("OMP_NUM_THREADS", threads)
    # On a busy machine threads that wait by spinning take minutes for what takes seconds.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _on_gpu(device: str) -> bool:
    """Say whether networks run on a GPU; torch that nobody has loaded runs nowhere."""
    torch: Any = sys.modules.get("torch")
    if device == "auto" and torch is not None:
        return bool(torch.cuda.is_available() or torch.backends.mps.is_available())
    return device not in ("auto", "cpu")
