"""A captioner ready to run: network, tokenizer and CLAP, opened by name.

B batch, T samples, D width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiojourney import config as configuration
from audiojourney import hub
from audiojourney.errors import MissingError
from audiojourney.model_folder import read_config, read_weights
from audiojourney.models.autocap.config import AutoCapConfig
from audiojourney.models.autocap.metadata import BART_BASE, Tokenizer, metadata_tokens, open_tokenizer, padded
from audiojourney.models.autocap.network import AutoCap, Heard
from audiojourney.models.autocap.official import fill_network, sizes, translated
from audiojourney.models.autocap.search import Decoding, Hypothesis, sample, search
from audiojourney.models.autocap.sound import features, for_clap
from audiojourney.models.clap.network import Clap
from audiojourney.models.genau.checkpoint import RANKING_CLAP
from audiojourney.models.genau.published import PARTS
from audiojourney.models.genau.state import read_state
from audiojourney.models.onednn import pack, use_onednn
from audiojourney.models.threads import side_by_side

KIND = "autocap"
PUBLISHED = "autocap-full"
LISTEN = 2  # clips that are encoded at once on a processor: more do not fit into its cache
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class AutoCapParts:
    """What a captioner consists of.

    Attributes:
        network: sizes and conventions.
        tokenizer: "bytes", folder or Hub id.
        clap: checkpoint of LAION's CLAP whose audio vectors it hears, a path or "published" for the one that the paper
            takes; null for a network without CLAP token.
    """

    network: AutoCapConfig = field(default_factory=AutoCapConfig)
    tokenizer: str = BART_BASE
    clap: str | None = "published"


class AutoCapModel:
    """Sounds and what is known of them to captions.

    Args:
        network: the network, its weights loaded.
        tokenizer: of its text model.
        clap: gives the vectors of its CLAP token, None where it has none.
        device: where they are.
    """

    def __init__(
        self, network: AutoCap, tokenizer: Tokenizer, clap: Clap | None, device: torch.device | str = "cpu"
    ) -> None:
        self.network, self.tokenizer, self.clap, self.device = network, tokenizer, clap, torch.device(device)

    def place(self, device: torch.device, dtype: str = "fp32") -> AutoCapModel:
        """Move everything to a device and make it ready to caption; return itself.

        The audio encoders keep float32, as decibels need it.
        """
        self.device = device
        self.network.eval().requires_grad_(False).to(device, _DTYPES[dtype])
        self.network.htsat.float()
        encoders = [self.network.htsat, self.network.qformer, self.network.bart.model.encoder]
        if self.clap is not None:
            encoders.append(self.clap.place(device).model.audio_model)
        if device.type == "cpu":
            use_onednn(self.network)
            for part in encoders:
                pack(part)
        return self

    @torch.inference_mode()
    def encode(self, waves: Sequence[np.ndarray], texts: Sequence[Mapping[str, str]]) -> Heard:
        """Run everything but the decoder.

        Args:
            waves: prepared waves (T,) of one length (see `audiojourney.models.autocap.sound`).
            texts: metadata of each by field.
        """
        ids, mask = (t.to(self.device) for t in metadata_batch(texts, self.network.config, self.tokenizer))
        if self.device.type != "cpu":
            return self._encode(waves, ids, mask)
        parts = [slice(first, first + LISTEN) for first in range(0, len(waves), LISTEN)]
        heard = side_by_side(lambda part: self._encode(waves[part], ids[part], mask[part]), parts)
        return Heard(torch.cat([part.states for part in heard]), torch.cat([part.mask for part in heard]))

    def _encode(self, waves: Sequence[np.ndarray], ids: Tensor, mask: Tensor) -> Heard:
        audio = self.network.hear(features(waves).to(self.device))
        clap = None if self.clap is None else self.clap.hear(for_clap(waves)).to(audio.dtype)
        return self.network.encode(audio, clap, ids, mask)

    def captions(
        self,
        waves: Sequence[np.ndarray],
        texts: Sequence[Mapping[str, str]],
        seeds: Sequence[int],
        count: int,
        decoding: Decoding,
    ) -> list[list[Hypothesis]]:
        """Return captions of each clip, best first: as many as there are beams, or `count` where they are sampled."""
        heard = self.encode(waves, texts)
        if decoding.method == "sample":
            return sample(self.network, heard, decoding, seeds, count)
        return search(self.network, heard, decoding)


def metadata_batch(
    texts: Sequence[Mapping[str, str]], config: AutoCapConfig, tokenizer: Tokenizer
) -> tuple[Tensor, Tensor]:
    """Return the tokens (B, N) of metadata by field and their mask, as a network of this configuration reads them."""
    limits: dict[str, Any] = {"vocabulary": config.bart.vocabulary, "longest": config.metadata_tokens}
    return padded([metadata_tokens(t, config.fields, tokenizer, **limits, blanks=config.blanks) for t in texts])


def open_clap(name: str | None) -> Clap | None:
    """Open the audio half of a LAION CLAP; `None` gives none.

    Args:
        name: path of a checkpoint, or "published".

    Raises:
        MissingError: it is not there and cannot be fetched.
    """
    if name is None:
        return None
    if name == "published":
        part = PARTS[RANKING_CLAP]
        path = hub.fetch(part.repo, part.files) / part.files[0]
    else:
        path = Path(name).expanduser()
    return Clap.from_laion(read_state(path), None)


def open_autocap(name: str | Path) -> AutoCapModel:
    """Open a captioner: a folder or run that `aj pretrain` wrote, "autocap-full", or a folder with that checkpoint.

    Raises:
        MissingError: there is none of that name, or a part of it is absent.
    """
    folder = hub.resolve_model(str(name))
    checkpoints = sorted(folder.glob("*.ckpt"))
    if checkpoints:
        return _open_published(folder, checkpoints)
    settings = read_config(folder)
    if settings.get("kind") != KIND:
        raise MissingError(
            f"{str(name)!r} is a {settings.get('kind')!r} model; a captioner of kind {KIND!r} is needed."
        )
    parts = configuration.build(AutoCapParts, settings["model"])
    network = AutoCap(parts.network)
    fill_network(network, read_weights(folder))
    return AutoCapModel(network, open_tokenizer(parts.tokenizer), open_clap(parts.clap))


def _open_published(folder: Path, checkpoints: list[Path]) -> AutoCapModel:
    """Open the released checkpoint in a folder, in which those of GenAu may lie too."""
    named = [path for path in checkpoints if path.stem.startswith("autocap")] or checkpoints
    state = translated(read_state(named[0]))
    network = AutoCap(sizes(state))
    fill_network(network, state)
    beside = folder / BART_BASE.rpartition("/")[2]
    tokenizer = open_tokenizer(str(beside) if beside.is_dir() else BART_BASE)
    clap = None
    if network.config.clap_width is not None:
        own = folder / PARTS[RANKING_CLAP].files[0]
        clap = open_clap(str(own) if own.is_file() else "published")
    return AutoCapModel(network, tokenizer, clap)
