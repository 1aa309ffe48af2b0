"""Key table of the released AutoCap checkpoints, and their sizes from the shapes of their tensors."""

from __future__ import annotations

import re
from typing import Any

from torch import nn

from audiojourney.errors import MissingError
from audiojourney.models.autocap.config import AutoCapConfig, BartSizes, HTSATConfig, QFormerConfig
from audiojourney.models.autocap.network import AutoCap
from audiojourney.models.clap.keys import audio_tensors
from audiojourney.models.genau.state import State, fill, under

# Copies of one table that BART keeps under several names.
TIED = ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight")
SHARED = "model.shared.weight"
DERIVED = ("relative_position_index", "num_batches_tracked", "position_ids")
HEAD_WIDTH, QFORMER_HEAD_WIDTH = 64, 32

HTSAT_PREFIX = "encoder.audio_enc."
BART_PREFIX = "decoder."
_UNUSED = ("audio_feats_extractor.", "tscam_conv.", "head.")
_SKIPPED = ("clap_model.", "special_tokens_embed.model.", "audio_clap_resampler.")
_NAMES = {
    "audio_query_tokens": "queries",
    "enc_to_dec_proj": "audio_in",
    "audio_position_embedding": "positions",
    "audio_Qfromer_layernorm_embedding": "audio_norm",
    "audio_qformer_proj": "audio_out",
    "clap_proj": "clap_in",
    "clap_layernorm": "clap_norm",
    "special_tokens_embed.special_token_embed": "special",
}
_QFORMER = (
    (r"^audio_Qformer\.bert\.embeddings\.LayerNorm\.", "qformer.layernorm."),
    (r"^audio_Qformer\.bert\.", "qformer."),
    (r"(attention)\.self\.", r"\1.attention."),
)


def translated(official: State) -> State:
    """Return the tensors of an official checkpoint under our names; what nothing here uses is left out.

    Raises:
        MissingError: there is no Q-Former: it is no AutoCap.
    """
    if not any(name.startswith("audio_Qformer.") for name in official):
        raise MissingError(f"The checkpoint has no tensors under 'audio_Qformer.' ({list(official)[:3]} ...).")
    state = htsat_state(under(official, HTSAT_PREFIX))
    for name, tensor in official.items():
        if not name.startswith((HTSAT_PREFIX, *_SKIPPED)) and not name.endswith("position_ids"):
            state[our_name(name)] = tensor
    return {name: tensor for name, tensor in state.items() if name.removeprefix("bart.") not in TIED}


def our_name(name: str) -> str:
    """Return our name of an official tensor that does not belong to HTSAT."""
    if name.startswith(BART_PREFIX):
        return "bart." + name.removeprefix(BART_PREFIX)
    for official, ours in _NAMES.items():
        if name == official or name.startswith(official + "."):
            return ours + name.removeprefix(official)
    for pattern, ours in _QFORMER:
        name = re.sub(pattern, ours, name)
    return name


def htsat_state(official: State) -> State:
    """Return the tensors of an official HTSAT under our names; a `sed_model.` in front of its names is dropped."""
    inner = under(official, "sed_model.") or official
    state: State = {}
    for name, tensor in inner.items():
        if not name.startswith(_UNUSED) and not name.endswith(("attn_mask", "relative_position_index")):
            state |= {f"htsat.swin.audio_encoder.{new}": value for new, value in audio_tensors(name, tensor).items()}
    return state


def fill_network(network: AutoCap, state: State) -> None:
    """Put tensors under our names, without the copies of the word table, into the network.

    Raises:
        MissingError: tensors are missing.
        UsageError: tensors are left over or have another shape.
    """
    table = {f"bart.{name}": state[f"bart.{SHARED}"] for name in TIED if f"bart.{SHARED}" in state}
    fill(network, {**state, **table}, "captioner", optional=DERIVED)
    network.bart.tie_weights()


def untied(network: nn.Module) -> State:
    """Return the tensors of a network, each once."""
    own = network.state_dict()
    return {name: tensor for name, tensor in own.items() if name.removeprefix("bart.") not in TIED}


def sizes(state: State, heads: int | None = None, qformer_heads: int | None = None, **chosen: Any) -> AutoCapConfig:
    """Return the configuration that fits tensors under our names.

    Args:
        state: the tensors.
        heads: attention heads of BART, which no tensor shows; None takes heads of 64.
        qformer_heads: those of the Q-Former; None takes heads of 32.
        chosen: fields of the configuration that no tensor shows.

    Raises:
        MissingError: a tensor that shows a size is missing.
    """
    try:
        return AutoCapConfig(
            htsat=_htsat_sizes(under(state, "htsat.swin.audio_encoder.")),
            qformer=_qformer_sizes(state, qformer_heads),
            bart=_bart_sizes(under(state, "bart."), heads),
            audio_positions=state["positions.weight"].shape[0],
            clap_width=state["clap_in.weight"].shape[1] if "clap_in.weight" in state else None,
            **chosen,
        )
    except KeyError as error:
        raise MissingError(f"The checkpoint of the captioner lacks {error.args[0]!r}.") from error


def _htsat_sizes(state: State) -> HTSATConfig:
    stages = _count(state, r"layers\.(\d+)\.")
    tables = [
        state[f"layers.{stage}.blocks.0.attention.self.relative_position_bias_table"].shape for stage in range(stages)
    ]
    return HTSATConfig(
        width=state["patch_embed.proj.weight"].shape[0],
        depths=tuple(_count(state, rf"layers\.{stage}\.blocks\.(\d+)\.") for stage in range(stages)),
        heads=tuple(table[1] for table in tables),
        window=(round(tables[0][0] ** 0.5) + 1) // 2,
    )


def _qformer_sizes(state: State, heads: int | None) -> QFormerConfig:
    _, queries, width = state["queries"].shape
    return QFormerConfig(
        width=width,
        layers=_count(state, r"qformer\.encoder\.layer\.(\d+)\."),
        heads=heads or max(1, width // QFORMER_HEAD_WIDTH),
        inner=state["qformer.encoder.layer.0.intermediate_query.dense.weight"].shape[0],
        queries=queries,
    )


def _bart_sizes(state: State, heads: int | None) -> BartSizes:
    vocabulary, width = state[SHARED].shape
    return BartSizes(
        vocabulary=vocabulary,
        width=width,
        layers=_count(state, r"model\.encoder\.layers\.(\d+)\."),
        heads=heads or max(1, width // HEAD_WIDTH),
        inner=state["model.encoder.layers.0.fc1.weight"].shape[0],
        positions=state["model.encoder.embed_positions.weight"].shape[0] - 2,
    )


def _count(state: State, pattern: str) -> int:
    """Return one more than the greatest number that `pattern` finds in the names."""
    return max((int(found[1]) for name in state if (found := re.match(pattern, name))), default=-1) + 1
