"""Attention in the windows of HTSAT in one fused call: transformers writes and reads all scores five times instead.

W windows of all clips, w windows of a clip, N tokens of a window, D width, H heads, d = D / H.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

_ATTENTION = "ClapAudioSelfAttention"


def fuse_windows(module: nn.Module) -> int:
    """Let every attention of an HTSAT of transformers inside a module run fused; its state dict stays as it is.

    Returns:
        Number of attentions that were changed.
    """
    found: list[Any] = [part for part in module.modules() if type(part).__name__ == _ATTENTION]
    for part in found:
        part.forward = partial(_attend, part)
    return len(found)


def _attend(layer: Any, x: Tensor, mask: Tensor | None = None, output_attentions: bool | None = False) -> tuple[Tensor]:
    """Attend inside windows (W, N, D); return (W, N, D), and no weights whatever is asked.

    Args:
        layer: weights of the attention.
        x: windows of all clips, clip by clip.
        mask: what is added to the scores of each window of a clip, (w, N, N); None adds nothing.
        output_attentions: taken because transformers gives it.
    """
    count, tokens, width = x.shape
    split = (count, tokens, -1, layer.attention_head_size)
    queries, keys, values = (part(x).view(split).transpose(1, 2) for part in (layer.query, layer.key, layer.value))
    table = layer.relative_position_bias_table[layer.relative_position_index.flatten()]
    bias = table.view(tokens, tokens, -1).permute(2, 0, 1).contiguous()[None]
    if mask is not None:
        bias = (bias + mask[:, None]).repeat(count // len(mask), 1, 1, 1)
    drop = layer.dropout.p if layer.training else 0.0
    found = F.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, dropout_p=drop)
    return (found.transpose(1, 2).reshape(count, tokens, width),)
