"""Key table: T5 tensors of published checkpoints under the names of transformers."""

from __future__ import annotations

from typing import Any

from audiojourney.errors import MissingError
from audiojourney.models.clap.keys import numbers
from audiojourney.models.genau.state import State, under


def t5_state(state: State) -> State:
    """Return the tensors of a T5 encoder under the names of `transformers.T5EncoderModel`.

    Known are that layout itself, a whole T5 (its decoder is dropped), and a bare encoder stack without prefix. The
    embedding may be there once or twice.

    Raises:
        MissingError: there is no encoder or no embedding.
    """
    inner = under(state, "encoder.") or {k: v for k, v in state.items() if k.startswith(("block.", "final_", "embed_"))}
    embedding = state.get("shared.weight", inner.get("embed_tokens.weight"))
    if embedding is None or "block.0.layer.0.SelfAttention.q.weight" not in inner:
        raise MissingError(f"The T5 checkpoint lacks its embedding or encoder (it has {list(state)[:3]} ...).")
    encoder = {f"encoder.{name}": tensor for name, tensor in inner.items()}
    return {"shared.weight": embedding, **encoder, "encoder.embed_tokens.weight": embedding}


def t5_sizes(state: State) -> dict[str, Any]:
    """Return the keyword arguments of `transformers.T5Config` that fit a translated state."""
    blocks = under(state, "encoder.block.")
    vocabulary, width = state["shared.weight"].shape
    buckets, heads = blocks["0.layer.0.SelfAttention.relative_attention_bias.weight"].shape
    gated = "0.layer.1.DenseReluDense.wi_0.weight" in blocks
    inner = blocks[f"0.layer.1.DenseReluDense.{'wi_0' if gated else 'wi'}.weight"].shape[0]
    return {
        "vocab_size": vocabulary,
        "d_model": width,
        "d_kv": blocks["0.layer.0.SelfAttention.q.weight"].shape[0] // heads,
        "d_ff": inner,
        "num_layers": len(numbers(blocks, "")),
        "num_heads": heads,
        "relative_attention_num_buckets": buckets,
        "feed_forward_proj": "gated-gelu" if gated else "relu",
        "dropout_rate": 0.0,
    }
