"""What GenAu is told about a sound: a CLAP and a FLAN-T5 vector of the prompt, and the data set to sound like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from audiojourney.errors import UsageError
from audiojourney.models.base import Condition
from audiojourney.models.clap.network import Clap
from audiojourney.models.genau.official_yaml import DATASET_IDS
from audiojourney.models.genau.text_models import FlanT5
from audiojourney.registry import offer

DEFAULT_DATASET = "audiocaps"
UNCONDITIONAL_ID = 0  # the official code multiplies ids by zero; that is also the id of AudioCaps


class GenAuConditioner(nn.Module):
    """Prompts to conditions.

    Args:
        clap: the text encoder whose vector comes first.
        t5: the text encoder whose vector comes second.
        dataset: name of the data set whose style is asked for.
        dataset_ids: data-set names to indices.
        order: "clap" and "t5" in the order in which the checkpoint joins them.

    Raises:
        UsageError: the data set or an encoder is unknown.
    """

    def __init__(
        self,
        clap: Clap,
        t5: FlanT5,
        dataset: str = DEFAULT_DATASET,
        dataset_ids: Mapping[str, int] = DATASET_IDS,
        order: Sequence[str] = ("clap", "t5"),
    ) -> None:
        super().__init__()
        if dataset not in dataset_ids:
            raise UsageError(f"There is no data set {dataset!r} in this model.", offer(dataset, dataset_ids))
        if sorted(order) != ["clap", "t5"]:
            raise UsageError(f"Text encoders {list(order)} are not supported, only clap and t5.")
        self.clap, self.t5 = clap, t5
        self.dataset_id = dataset_ids[dataset]
        self.order = tuple(order)

    def encode(self, prompts: Sequence[str]) -> Condition:
        """Return the condition of B prompts; the empty prompt is the unconditional one, data-set id included."""
        encoders: dict[str, Clap | FlanT5] = {"clap": self.clap, "t5": self.t5}
        pooled = torch.cat([encoders[name].text(prompts).float() for name in self.order], dim=-1)
        ids = [UNCONDITIONAL_ID if prompt == "" else self.dataset_id for prompt in prompts]
        return Condition(pooled=pooled, dataset_ids=torch.tensor(ids, device=pooled.device))


def joined(first: Condition, second: Condition) -> Condition:
    """Return the rows of `first`, then those of `second`."""
    return Condition(
        pooled=torch.cat([first.pooled, second.pooled]),
        tokens=_cat(first.tokens, second.tokens),
        mask=_cat(first.mask, second.mask),
        dataset_ids=_cat(first.dataset_ids, second.dataset_ids),
    )


def _cat(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return None if first is None or second is None else torch.cat([first, second])
