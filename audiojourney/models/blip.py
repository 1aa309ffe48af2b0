"""BLIP-2: pictures to captions, around a class of transformers.

Pictures are scaled here, so that no picture library is needed. B batch, H height, W width.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from audiojourney import hub
from audiojourney.errors import UsageError
from audiojourney.models.device import find_device
from audiojourney.models.instruct import revision, torch_dtype
from audiojourney.models.transformers_parts import read_pretrained, read_tokenizer, transformers_class

DEFAULT = "Salesforce/blip2-opt-2.7b"
LONGEST = 30  # word pieces of a caption
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


class FrameCaptioner:
    """Describes pictures.

    Args:
        name: Hub id or folder.
        device: torch device, or `auto`.
        dtype: `fp32`, `bf16` or `fp16`.

    Raises:
        MissingError: it is not on this machine and cannot be had.
    """

    def __init__(self, name: str = DEFAULT, device: str = "cpu", dtype: str = "fp32") -> None:
        folder = hub.resolve_model(name)
        self.revision = revision(folder)
        self._dtype = torch_dtype(dtype)
        kind = transformers_class("models.blip_2.modeling_blip_2", "Blip2ForConditionalGeneration")
        model = read_pretrained(kind, folder, "BLIP-2", dtype=self._dtype)
        self._model: Any = model.eval().requires_grad_(False).to(find_device(device))
        self._tokenizer = read_tokenizer(folder)
        self._mean, self._std = _statistics(folder / "preprocessor_config.json")

    @torch.inference_mode()
    def caption(self, pictures: Sequence[np.ndarray], batch: int = 12) -> list[str]:
        """Return the likeliest caption of each picture.

        Args:
            pictures: uint8, each of shape (H, W, 3).
            batch: pictures that go through the network at once.
        """
        said: list[str] = []
        for first in range(0, len(pictures), batch):
            pixels = torch.stack([self.pixels(picture) for picture in pictures[first : first + batch]])
            pixels = pixels.to(self._model.device, self._dtype)
            drawn = self._model.generate(pixel_values=pixels, max_new_tokens=LONGEST, do_sample=False, num_beams=1)
            said += [self._words(row) for row in drawn]
        return said

    def pixels(self, picture: np.ndarray) -> Tensor:
        """Return a picture (H, W, 3), uint8, as the network wants it, shape (3, size, size).

        Raises:
            UsageError: it is no picture in colours.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise UsageError(f"A picture of the shape {picture.shape} and type {picture.dtype} cannot be described.")
        size = self._model.config.vision_config.image_size
        planes = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
        # Width first, then height, bytes in between: so do the picture libraries that the network was trained with.
        for shape in ((planes.shape[2], size), (size, size)):
            planes = F.interpolate(planes, shape, mode="bicubic", antialias=True).clamp(0, 255).round()
        return ((planes / 255 - self._mean) / self._std)[0]

    def _words(self, row: Tensor) -> str:
        """Return drawn words without the places that the picture took."""
        place = getattr(self._model.config, "image_token_index", None)
        kept = [int(piece) for piece in row if int(piece) != place]
        return str(self._tokenizer.decode(kept, skip_special_tokens=True)).strip()


def _statistics(path: Path) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of colours, each (3, 1, 1): those of the folder, else those of CLIP."""
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    mean, std = (torch.tensor(said.get(key, own)) for key, own in (("image_mean", MEAN), ("image_std", STD)))
    return mean[:, None, None], std[:, None, None]
