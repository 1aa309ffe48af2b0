"""The two judges that name sounds: listeners trained by the project's own task, on clips kept apart for that.

N clips, K concepts, D features, F mel frames, M mel bins.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from audiojourney import config as configuration
from audiojourney import hub
from audiojourney.data.clip import Clip, load_clip
from audiojourney.data.manifest import NAME, data_hash, write_clips
from audiojourney.data.mel import GENAU
from audiojourney.data.resample import resample
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.write import save_audio
from audiojourney.models.pocket.folders import load_listener
from audiojourney.models.pocket.listener import Listener
from audiojourney.recipes.pocket_eval.settings import HELD_OUT_FOLD, SEEN_FOLDS
from audiojourney.recipes.pocket_eval.sounds import find_recordings, fresh
from audiojourney.training.base import Trainable
from audiojourney.training.loop import train
from audiojourney.training.settings import LoopConfig
from audiojourney.training.tasks.listener import ListenerTask, ListenerTaskConfig

VERSION = 1  # raised whenever a judge of the same recipe would come out different
BATCH = 32
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class JudgeRecipe:
    """What a judge is trained on, and how.

    Attributes:
        name: "strict" or "lenient".
        folds: recordings that it is trained on.
        test_folds: recordings that it is measured with.
        first_seed: its synthesised clips are numbered from here on.
        per_concept: synthesised clips of each sound.
        duration_s: their length.
        speeds: every recording is also heard at these speeds, pitch and all.
        widths: channels of its layers.
        loop: the training loop.
    """

    name: str
    folds: tuple[int, ...]
    test_folds: tuple[int, ...]
    first_seed: int
    per_concept: int = 40
    duration_s: float = 5.12
    speeds: tuple[float, ...] = (0.9, 0.95, 1.05, 1.1)
    widths: tuple[int, ...]
    loop: LoopConfig


LOOP = LoopConfig(
    steps=2500,
    batch=32,
    lr=2e-3,
    warmup=100,
    ema=0.998,
    dtype="bf16",
    device="cpu",
    seed=11,
    log_every=100,
    save_every_s=0,
)
STRICT = JudgeRecipe(
    name="strict",
    folds=(HELD_OUT_FOLD,),
    test_folds=SEEN_FOLDS,
    first_seed=10_000_000,
    widths=(24, 48, 96, 192),
    loop=LOOP,
)
LENIENT = JudgeRecipe(
    name="lenient",
    folds=SEEN_FOLDS,
    test_folds=(HELD_OUT_FOLD,),
    first_seed=20_000_000,
    widths=(32, 64, 128, 160),
    loop=replace(LOOP, seed=12),
)
JUDGES = (STRICT, LENIENT)


class Judge:
    """A trained listener that names clips and measures them.

    Args:
        listener: the network.
        recipe: what it was trained on.
    """

    def __init__(self, listener: Listener, recipe: JudgeRecipe) -> None:
        self.listener, self.recipe = listener, recipe
        self.classes = listener.config.classes

    def named(self, mels: Sequence[Tensor]) -> list[str]:
        """Name N clips, each a log-mel (F, M)."""
        return [self.classes[int(i)] for i in self.probabilities(mels).argmax(dim=1)]

    def probabilities(self, mels: Sequence[Tensor]) -> Tensor:
        """Share of each concept, (N, K), in N clips, each a log-mel (F, M)."""
        return _in_batches(lambda mel: self.listener(mel).softmax(dim=1), mels)

    def features(self, mels: Sequence[Tensor]) -> np.ndarray:
        """Features, float64 (N, D), of N clips, each a log-mel (F, M)."""
        return _in_batches(self.listener.features, mels).double().numpy()


@torch.inference_mode()
def _in_batches(function: Callable[[Tensor], Tensor], mels: Sequence[Tensor]) -> Tensor:
    """Apply a function of (B, F, M) to clips of any lengths; clips of one length go together."""
    groups: dict[int, list[int]] = defaultdict(list)
    for i, mel in enumerate(mels):
        groups[len(mel)].append(i)
    rows: dict[int, Tensor] = {}
    for group in groups.values():
        for start in range(0, len(group), BATCH):
            part = group[start : start + BATCH]
            rows.update(zip(part, function(torch.stack([mels[i].float() for i in part])), strict=True))
    return torch.stack([rows[i] for i in range(len(mels))])


def open_judge(recipe: JudgeRecipe, recordings: Path, say: Say = lambda text: None) -> Judge:
    """Open a judge, trained on first use; it is kept in the home folder of the package.

    Raises:
        MissingError: there are no recordings to train it on.
    """
    folder = hub.home() / "judges" / f"{recipe.name}-{_key(recipe, recordings)}"
    if not (folder / "config.yaml").is_file():
        say(f"training the {recipe.name} judge, some minutes")
        _train(recipe, recordings, folder)
    return Judge(load_listener(folder), recipe)


def _key(recipe: JudgeRecipe, recordings: Path) -> str:
    """Name of what a judge follows from."""
    heard = data_hash(find_recordings(recordings, recipe.folds))
    return hashlib.sha256(f"{VERSION}\0{configuration.dump(recipe)}\0{heard}".encode()).hexdigest()[:16]


def _train(recipe: JudgeRecipe, recordings: Path, folder: Path) -> None:
    """Train a judge in a folder that is thrown away, and keep the model and its log.

    Raises:
        KeyboardInterrupt: the training was interrupted.
    """
    with hub.scratch(), tempfile.TemporaryDirectory() as place:
        work = Path(place)
        write_training_clips(recipe, recordings, work / "clips")
        torch.manual_seed(recipe.loop.seed)
        settings = ListenerTaskConfig(widths=recipe.widths, train_folds=recipe.folds, test_folds=recipe.test_folds)
        task = cast(Trainable, ListenerTask.build(settings, [work / "clips"]))
        if train(task, recipe.loop, work / "run").reason != "finished":
            raise KeyboardInterrupt
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(work / "run" / "final", folder, dirs_exist_ok=True)
        shutil.copy2(work / "run" / "log.jsonl", folder)


def write_training_clips(recipe: JudgeRecipe, recordings: Path, folder: Path) -> None:
    """Write the clips of a judge as a data folder: its recordings at all speeds, test recordings, synthesised clips."""
    clips = [*_recorded(recipe, recordings, folder), *_synthesised(recipe, folder)]
    write_clips(folder / NAME, clips)


def _recorded(recipe: JudgeRecipe, recordings: Path, folder: Path) -> Iterator[Clip]:
    for clip in find_recordings(recordings, {*recipe.folds, *recipe.test_folds}):
        wave = load_clip(clip, GENAU.rate_hz)
        for speed in (1.0, *recipe.speeds) if clip.fold in recipe.folds else (1.0,):
            path = folder / f"{clip.path.stem}-{speed:g}.flac"
            save_audio(path, resample(wave, round(GENAU.rate_hz * speed), GENAU.rate_hz), GENAU.rate_hz)
            yield Clip(path=path, id=path.name, labels=clip.labels, fold=clip.fold)


def _synthesised(recipe: JudgeRecipe, folder: Path) -> Iterator[Clip]:
    sounds = fresh(tuple(SOURCES), recipe.per_concept, recipe.first_seed, recipe.duration_s)
    for i, (concept, wave) in enumerate(zip(sounds.concepts, sounds.waves, strict=True)):
        path = folder / f"scene-{i:05d}.flac"
        save_audio(path, wave, GENAU.rate_hz)
        yield Clip(path=path, id=path.name, labels=(concept,))
