"""The shipped captioner: hears which of the known sounds are in a clip and how they stand to each other, and says so.

T samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from audiojourney import config as configuration
from audiojourney import hub, model_folder
from audiojourney.captions import pocket_wording
from audiojourney.captions.base import Answer, Subject
from audiojourney.captions.names import CaptionerOptions
from audiojourney.data.clip import Caption, CaptionKind
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.data.scenes.captions import Slots
from audiojourney.models.device import find_device
from audiojourney.models.pocket.captioner import PocketCaptioner
from audiojourney.models.pocket.folders import load_captioner
from audiojourney.models.pocket.scorer import HASH_LETTERS, is_audible, prepared

DEFAULT = "pocket/captioner"
SILENCE = "silence"
NOTHING_KNOWN = "nothing known"


@dataclass(frozen=True, kw_only=True)
class PocketCaptionsConfig:
    """How the shipped captioner speaks.

    Attributes:
        doubtful: below this probability of the meaning a single sound is told with "perhaps" and the like.
    """

    doubtful: float = 0.25


@dataclass(frozen=True)
class Heard:
    """What a clip was understood as.

    Attributes:
        slots: the sounds and their relation; None where nothing known is heard.
        probability: of this meaning among all, or, of a single sound, of that sound.
    """

    slots: Slots | None
    probability: float


class PocketCaptions:
    """The pocket captioner. Clips are heard one by one, so that a caption never depends on the others of a batch.

    Args:
        network: what hears.
        config: how it speaks.
        model: name and hash of the weights.
        device: where the network runs.
    """

    kind: CaptionKind = "model"
    sample_rate_hz: int | None = GENAU.rate_hz

    def __init__(self, network: PocketCaptioner, config: PocketCaptionsConfig, model: str, device: str = "cpu") -> None:
        self.network = network.to(find_device(device))
        self.config = config
        self.name = model

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        """Write up to `count` different captions for each subject; the same seed and clip give the same ones."""
        return [self._answer(subject, count) for subject in subjects]

    def hear(self, wave: np.ndarray) -> Heard:
        """Understand a waveform (T,), mono float32 at 16 kHz, that is not silent."""
        mel = log_mel(torch.from_numpy(prepared(wave)), GENAU)[None]
        with torch.inference_mode():
            meanings = self.network.understand(mel.to(self.network.query.device))
        return Heard(*meanings)

    def _answer(self, subject: Subject, count: int) -> Answer:
        if subject.wave is None or not len(subject.wave):
            return Answer(failure="The clip has no sound to listen to.")
        rng = np.random.default_rng(subject.seed)
        if not is_audible(subject.wave):
            return self._captions(pocket_wording.silence(rng, count), SILENCE)
        heard = self.hear(subject.wave)
        said = pocket_wording.word(heard.slots, rng, count, doubtful=heard.probability < self.config.doubtful)
        return self._captions(said, describe(heard))

    def _captions(self, said: Sequence[str], raw: str) -> Answer:
        captions = tuple(Caption(text=text, source=self.name, kind=self.kind) for text in said)
        return Answer(captions=captions, raw=raw)


def describe(heard: Heard) -> str:
    """The meaning behind captions, for the record: `sequence dog rain 0.83`."""
    if heard.slots is None:
        return f"{NOTHING_KNOWN} {heard.probability:.2f}"
    names = [name for name in (heard.slots.first, heard.slots.second) if name is not None]
    return " ".join([heard.slots.relation, *names, f"{heard.probability:.2f}"])


def build(options: CaptionerOptions) -> PocketCaptions:
    """Open the shipped captioner, or another of its kind.

    Raises:
        MissingError: there is no such model.
        UsageError: a setting is unknown.
    """
    config = configuration.build(PocketCaptionsConfig, options.settings)
    name = options.model or DEFAULT
    folder = hub.resolve_model(name)
    label = name if name in hub.pocket_models() else Path(name).name
    model = f"{label}@{model_folder.fingerprint(folder)[:HASH_LETTERS]}"
    return PocketCaptions(load_captioner(folder), config, model, options.device)
