"""What is seen: captions of frames at 1/3, 1/2 and 3/4 of a clip, or what its record says of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from audiojourney.data import frames
from audiojourney.data.clip import Clip
from audiojourney.errors import ClipError

FRACTIONS = (1 / 3, 1 / 2, 3 / 4)


class PictureModel(Protocol):
    """Describes pictures; `audiojourney.models.blip.FrameCaptioner` does."""

    def caption(self, pictures: Sequence[np.ndarray]) -> list[str]:
        """Return a caption of each picture, uint8 (H, W, 3)."""


@dataclass(frozen=True)
class Seen:
    """What is seen of a clip.

    Attributes:
        frames: captions of its frames, in their order; or the one that its record has.
        failure: why there are none, or "".
    """

    frames: tuple[str, ...] = ()
    failure: str = ""


class Sight:
    """Finds the frames of clips and describes them.

    Args:
        opened: opens the model that describes pictures, when the first frame is there.
        pictures: folder of pictures that were cut out before, or None.
        videos: folder of videos, or None; without both, the clip's own file is asked for its pictures.
    """

    def __init__(self, opened: Callable[[], PictureModel], pictures: Path | None, videos: Path | None) -> None:
        self._open = opened
        self._folder = pictures
        self._videos = videos
        self._model: PictureModel | None = None

    def see(self, clips: Sequence[Clip]) -> list[Seen]:
        """Describe clips; the frames of all of them go through the model together.

        Raises:
            MissingError: the model, or what decodes videos, is absent.
        """
        found = [self._look(clip) for clip in clips]
        said = iter(self._describe([picture for item in found if isinstance(item, list) for picture in item]))
        return [item if isinstance(item, Seen) else Seen(tuple(next(said) for _ in item)) for item in found]

    def _describe(self, pictures: Sequence[np.ndarray]) -> list[str]:
        if not pictures:
            return []
        self._model = self._model or self._open()
        return self._model.caption(pictures)

    def _look(self, clip: Clip) -> list[np.ndarray] | Seen:
        """Return the frames of a clip, or what is known without them."""
        stem = clip.path.stem
        try:
            if self._folder:
                files = frames.pictures_beside(self._folder, stem)
                chosen = frames.at(FRACTIONS, files) if files else []
                return [frames.picture(path) for path in chosen] or _none(f"there are no frames of {stem!r}")
            if self._videos:
                video = frames.video_beside(self._videos, stem)
                return frames.frames_of(video, FRACTIONS) if video else _none(f"there is no video of {stem!r}")
            if clip.metadata.visual_caption:
                return Seen((clip.metadata.visual_caption,))
            return frames.frames_of(clip.path, FRACTIONS, clip.offset_s or 0.0, clip.duration_s)
        except ClipError as error:
            return _none(str(error))


def _none(failure: str) -> Seen:
    return Seen(failure=failure)
