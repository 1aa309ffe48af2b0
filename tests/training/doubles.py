"""A small task whose training is fast enough to be repeated many times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from audiojourney.training.base import Batch


class CurveTask:
    """Fits y = sin(3 x) with a small network; dropout, noise and buffers are there to be resumed."""

    def __init__(self, adversarial: bool = False, width: int = 16, seed: int = 0) -> None:
        torch.manual_seed(seed)
        layers = nn.Linear(2, width), nn.BatchNorm1d(width), nn.Dropout(0.1), nn.GELU(), nn.Linear(width, 1)
        self.module = nn.Sequential(*layers)
        self.adversary = nn.Sequential(nn.Linear(3, width), nn.GELU(), nn.Linear(width, 1)) if adversarial else None
        self.module.register_parameter("unused", nn.Parameter(torch.ones(3)))
        self.validations = 0

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        x = rng.uniform(-1, 1, (size, 2)).astype(np.float32)
        return {"x": x, "y": np.sin(3 * x.sum(1, keepdims=True)), "words": ["a"] * size}

    def _predict(self, batch: Batch, rng: torch.Generator) -> torch.Tensor:
        noise = torch.randn(batch["x"].shape, generator=rng).to(batch["x"].device)
        return self.module(batch["x"] + 0.01 * noise)

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        y = self._predict(batch, rng)
        error = (y - batch["y"]).square().mean()
        loss = error
        if self.adversary is not None and step >= 2:
            loss = loss - 0.1 * self.adversary(torch.cat([batch["x"], y], 1)).mean()
        return loss, {"error": float(error.detach())}

    def adversary_loss(self, batch: Batch, rng: torch.Generator, step: int) -> torch.Tensor | None:
        if self.adversary is None or step < 2:
            return None
        with torch.no_grad():
            y = self._predict(batch, rng)
        false, true = (self.adversary(torch.cat([batch["x"], value], 1)) for value in (y, batch["y"]))
        return torch.relu(1 + false).mean() + torch.relu(1 - true).mean()

    def validate(self) -> dict[str, float]:
        self.validations += 1
        batch = self.batch(np.random.default_rng(1), 32)
        y = self.module(torch.from_numpy(batch["x"]))
        return {"val_error": float((y - torch.from_numpy(batch["y"])).square().mean())}

    def sample(self, folder: Path, step: int) -> None:
        (folder / f"step-{step}.txt").write_text("sample", encoding="utf-8")

    def export(self, folder: Path) -> None:
        save_file({k: v.contiguous() for k, v in self.module.state_dict().items()}, folder / "model.safetensors")
