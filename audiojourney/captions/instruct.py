"""Instruction models of the Hub as language models that are asked for captions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audiojourney.captions.chat import ChatSettings, Reply, Turn
from audiojourney.models.instruct import InstructModel


class HubChat:
    """A model on this machine.

    Args:
        name: Hub id or folder.
        device: torch device, or `auto`.
        dtype: `fp32`, `bf16` or `fp16`.
        settings: batch, longest answer.

    Raises:
        MissingError: it is not on this machine and cannot be had.
    """

    def __init__(self, name: str, device: str, dtype: str, settings: ChatSettings) -> None:
        self._model = InstructModel(name, device, dtype)
        self._settings = settings
        label = Path(name).name if Path(name).exists() else name
        self.name = f"{label}@{self._model.revision}" if self._model.revision else label

    def complete(self, turns: Sequence[Turn]) -> list[Reply]:
        """Answer each question, `batch` at once."""
        size = self._settings.batch
        return [reply for first in range(0, len(turns), size) for reply in self._batch(turns[first : first + size])]

    def _batch(self, turns: Sequence[Turn]) -> list[Reply]:
        answers = self._model.answer(
            [turn.prompt for turn in turns],
            [turn.seed for turn in turns],
            [turn.temperature for turn in turns],
            self._settings.top_p,
            self._settings.max_tokens,
        )
        return [Reply(answer) for answer in answers]
