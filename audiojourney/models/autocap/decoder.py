"""BART's decoder one token at a time, for several captions of each clip.

All captions of a clip attend to the same sound, so keys and values of the sound are computed and kept once a clip, not
once a caption. Rows lie clip by clip.

B clips, K captions of a clip, R = B K rows, S tokens of BART's input, D width, H heads, d = D / H.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from audiojourney.models.autocap.network import AutoCap, Heard

_OFFSET = 2  # BART's first position is row 2 of its table


class Decoder:
    """The decoder and what it remembers.

    Args:
        network: the captioner.
        heard: what it attends to, for B clips.
        longest: most tokens of a caption.
    """

    def __init__(self, network: AutoCap, heard: Heard, longest: int) -> None:
        self.bart, self.decoder = network.bart, network.bart.model.decoder
        self.heads = network.config.bart.heads
        self.clips, self.length = len(heard.states), 0
        # Added to the scores of attention: nothing for tokens that are there, minus infinity for padding.
        self.mask = torch.zeros(heard.mask.shape, device=heard.states.device, dtype=heard.states.dtype)
        self.mask.masked_fill_(heard.mask == 0, float("-inf"))
        self.sound = [self._keys_values(layer.encoder_attn, heard.states) for layer in self.decoder.layers]
        shape = (self.clips, self.heads, longest, network.config.bart.width // self.heads)
        self.past = [(heard.states.new_zeros(shape), heard.states.new_zeros(shape)) for _ in self.decoder.layers]

    def step(self, tokens: Tensor) -> Tensor:
        """Read one token of each row, (R,); return the states of the last layer, (R, D)."""
        x = self.decoder.embed_tokens(tokens) + self.decoder.embed_positions.weight[self.length + _OFFSET]
        x = self.decoder.layernorm_embedding(x)
        for layer, past, sound in zip(self.decoder.layers, self.past, self.sound, strict=True):
            x = layer.self_attn_layer_norm(x + self._attend_past(layer.self_attn, x, past))
            x = layer.encoder_attn_layer_norm(x + self._attend_sound(layer.encoder_attn, x, sound))
            x = layer.final_layer_norm(x + layer.fc2(layer.activation_fn(layer.fc1(x))))
        self.length += 1
        return x

    def logits(self, states: Tensor) -> Tensor:
        """Return scores of the next token (R, vocabulary), float32."""
        return (self.bart.lm_head(states) + self.bart.final_logits_bias).float()

    def choose(self, rows: Tensor) -> None:
        """Go on with these rows of the present ones, in this order; a row may be named more than once."""
        self.past = [(keys[rows], values[rows]) for keys, values in self.past]

    def keep(self, clips: Tensor) -> None:
        """Drop all clips but these; their rows are chosen apart."""
        self.clips, self.mask = len(clips), self.mask[clips]
        self.sound = [(keys[clips], values[clips]) for keys, values in self.sound]

    def _attend_past(self, attention: Any, x: Tensor, past: tuple[Tensor, Tensor]) -> Tensor:
        """Attend from x (R, D) to the tokens of the same row so far, its own included; (R, D)."""
        keys, values = past
        keys[:, :, self.length] = self._split(attention.k_proj(x))[:, :, 0]
        values[:, :, self.length] = self._split(attention.v_proj(x))[:, :, 0]
        seen = self.length + 1
        found = F.scaled_dot_product_attention(self._split(attention.q_proj(x)), keys[:, :, :seen], values[:, :, :seen])
        return attention.out_proj(found.flatten(1))

    def _attend_sound(self, attention: Any, x: Tensor, sound: tuple[Tensor, Tensor]) -> Tensor:
        """Attend from x (R, D) to the sound of the row's clip; (R, D)."""
        queries = attention.q_proj(x).view(self.clips, -1, self.heads, x.shape[-1] // self.heads).transpose(1, 2)
        keys, values = sound
        # Written out: with so few queries this reads memory faster than the fused kernel.
        scores = (queries * queries.shape[-1] ** -0.5) @ keys + self.mask[:, None, None]
        found = scores.softmax(dim=-1) @ values
        return attention.out_proj(found.transpose(1, 2).reshape(x.shape))

    def _keys_values(self, attention: Any, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys (B, H, d, S) and values (B, H, S, d) of states (B, S, D)."""
        shape = (*states.shape[:2], self.heads, states.shape[-1] // self.heads)
        keys, values = (layer(states).view(shape).transpose(1, 2) for layer in (attention.k_proj, attention.v_proj))
        return keys.transpose(2, 3).contiguous(), values.contiguous()

    def _split(self, x: Tensor) -> Tensor:
        """Return (R, D) as heads of one token, (R, H, 1, d)."""
        return x.view(len(x), self.heads, 1, -1)
