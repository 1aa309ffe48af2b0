"""Clips whose concept is written into their first mel bin, and a judge that can read it."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from audiojourney.data.clip import Clip
from audiojourney.data.manifest import NAME, write_clips
from audiojourney.data.scenes.concepts import CONCEPTS, ESC10_CONCEPTS
from audiojourney.data.write import save_audio
from audiojourney.recipes.pocket_eval.judges import LENIENT, STRICT, Judge
from audiojourney.recipes.pocket_eval.sounds import Heard

FEATURES = 40


class Reader(nn.Module):
    """Reads the concept of every frame from bin 0; its features are the means of the other bins."""

    config = SimpleNamespace(classes=CONCEPTS)

    def features(self, mel):
        return mel[:, :, 1 : 1 + FEATURES].mean(dim=1)

    def forward(self, mel):
        code = mel[:, :, 0].round().long().clamp(0, len(CONCEPTS) - 1)
        return 20 * nn.functional.one_hot(code, len(CONCEPTS)).float().mean(dim=1)


def judge(recipe=STRICT):
    return Judge(Reader(), recipe)


def lenient():
    return judge(LENIENT)


def clips(per_class=10, concepts=CONCEPTS, seed=0, spread=1.0, frames=40):
    """Clips of each concept; their features lie round a centre of the concept."""
    rng = np.random.default_rng(seed)
    names = [name for name in concepts for _ in range(per_class)]
    return Heard(tuple(names), tuple(clip([name], rng, spread, frames) for name in names))


def clip(course, rng=None, spread=1.0, frames=40):
    """One clip that holds the concepts of `course` one after the other, in equal parts."""
    rng = rng or np.random.default_rng(0)
    mel = torch.zeros(frames, 1 + FEATURES)
    for i, name in enumerate(course):
        number = CONCEPTS.index(name)
        part = slice(i * frames // len(course), (i + 1) * frames // len(course))
        mel[part, 0] = number
        centre = 4 * np.random.default_rng(1000 + number).standard_normal(FEATURES)
        mel[part, 1:] = torch.from_numpy(centre + spread * rng.standard_normal(FEATURES)).float()
    return mel


def shuffled(heard, seed=0):
    """The same clips under names that were dealt out anew."""
    order = np.random.default_rng(seed).permutation(len(heard))
    return Heard(tuple(heard.concepts[i] for i in order), heard.mels)


def write_recordings(folder, folds=(1, 2, 3, 4), seconds=0.6):
    """A folder like that of ESC-10, with one short noise for each class and fold."""
    made = []
    for fold in folds:
        for i, label in enumerate(ESC10_CONCEPTS):
            path = folder / f"{fold}-{i}.flac"
            wave = 0.3 * np.random.default_rng(100 * fold + i).standard_normal(round(16_000 * seconds))
            save_audio(path, np.clip(wave, -1, 1).astype(np.float32), 16_000)
            made.append(Clip(path=path, id=path.name, labels=(label,), fold=fold))
    write_clips(folder / NAME, made)
    return folder
