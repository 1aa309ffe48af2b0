"""Everything that gates measure with, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from audiojourney.errors import MissingError
from audiojourney.models.base import SoundGenerator
from audiojourney.models.load import load_generator
from audiojourney.models.pocket.pipeline import PocketGenerator
from audiojourney.recipes.pocket_eval import judges, making, prompts
from audiojourney.recipes.pocket_eval.judges import Judge
from audiojourney.recipes.pocket_eval.settings import (
    HELD_OUT_FOLD,
    OTHER_REAL_SEEDS,
    REAL_SEEDS,
    PocketEvalConfig,
)
from audiojourney.recipes.pocket_eval.sounds import (
    SYNTHESISED,
    WAY_TO_GET_THEM,
    Heard,
    Sounds,
    find_recordings,
    fresh,
    read_recordings,
)


class Bench:
    """Judges, real clips and generated clips of one measurement.

    Args:
        config: what is measured.
        say: is told what takes long.
    """

    def __init__(self, config: PocketEvalConfig, say: Callable[[str], None] = lambda text: None) -> None:
        self.config, self.say = config, say
        self._recorded: dict[tuple[int, ...], Heard] = {}

    @cached_property
    def generator(self) -> SoundGenerator:
        """The model."""
        return load_generator(self.config.model)

    @property
    def pipeline(self) -> PocketGenerator:
        """The model with its parts.

        Raises:
            MissingError: it is no pocket model.
        """
        if not isinstance(self.generator, PocketGenerator):
            raise MissingError(
                f"{self.config.model!r} is no pocket model.", "Name one, or leave its parts out with --only."
            )
        return self.generator

    @property
    def recordings(self) -> Path:
        """The folder of recordings.

        Raises:
            MissingError: none was given.
        """
        if self.config.recordings is None:
            raise MissingError("There are no recordings to measure with.", WAY_TO_GET_THEM)
        return self.config.recordings

    @cached_property
    def weights(self) -> str:
        """Name of the weights of the model and its parts."""
        return making.weights_key(self.config.model)

    @cached_property
    def strict(self) -> Judge:
        """The judge that shares no clip with the training of the generator."""
        return judges.open_judge(judges.STRICT, self.recordings, self.say)

    @cached_property
    def lenient(self) -> Judge:
        """The judge that was trained on the same recordings as the generator."""
        return judges.open_judge(judges.LENIENT, self.recordings, self.say)

    @property
    def judges(self) -> tuple[Judge, Judge]:
        """Both judges."""
        return self.strict, self.lenient

    @cached_property
    def fresh(self) -> Sounds:
        """Fresh scenes of single sounds that have no recordings."""
        return fresh(SYNTHESISED, self.config.per_class, REAL_SEEDS, self.config.duration_s)

    @cached_property
    def other_fresh(self) -> Sounds:
        """A second set of them."""
        return fresh(SYNTHESISED, self.config.per_class, OTHER_REAL_SEEDS, self.config.duration_s)

    @cached_property
    def held_out(self) -> Sounds:
        """Clips that no shipped model was trained on: recordings of the held-out fold and fresh scenes."""
        return read_recordings(self.recordings, (HELD_OUT_FOLD,)) + self.fresh

    def recorded(self, *folds: int) -> Heard:
        """Recordings of some folds, in their order."""
        if folds not in self._recorded:
            self._recorded[folds] = read_recordings(self.recordings, folds).heard()
        return self._recorded[folds]

    def sources(self, *folds: int) -> tuple[str, ...]:
        """Where each of these recordings was cut from; without that knowledge each stands for itself."""
        return tuple(clip.source_url or clip.id for clip in find_recordings(self.recordings, folds))

    def real(self, judge: Judge) -> Heard:
        """Clips that a judge never heard: recordings of its test folds and fresh scenes."""
        return self.recorded(*judge.recipe.test_folds) + self._fresh_heard

    @cached_property
    def _fresh_heard(self) -> Heard:
        return self.fresh.heard()

    @cached_property
    def generated(self) -> Heard:
        """Clips of single sounds, asked for in training wordings."""
        return self.make(prompts.known(self.config.per_class, self.config.duration_s))

    @cached_property
    def generated_unseen(self) -> Heard:
        """Clips of single sounds, asked for in wordings that were never trained."""
        return self.make(prompts.unseen(self.config.duration_s))

    def make(self, order: prompts.Order) -> Heard:
        """Generate clips, or read them from an earlier measurement of the same weights."""
        return making.make(self.generator, self.weights, order, self.config.batch, self.say)
