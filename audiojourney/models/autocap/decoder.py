"""BART's decoder one token at a time, for several captions of each clip.

All captions of a clip attend to the same sound, so keys and values of the sound are computed and kept once a clip, not
once a caption. Rows lie clip by clip.

B clips, K captions of a clip, R = B K rows, S tokens of BART's input, T tokens, D width, H heads, d = D / H.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from audiojourney.models.autocap.network import AutoCap, Heard

_OFFSET = 2  # BART's first position is row 2 of its table
_HIDDEN = float("-inf")


class Decoder:
    """The decoder and what it remembers.

    Keys and values of every token stay where they were written; of the tokens of its clip, a caption sees those that
    `lineage` says are its own. So captions that part, or end, move no memory.

    Args:
        network: the captioner.
        heard: what it attends to, for B clips; it begins with one caption of each.
        longest: most tokens of a caption.
        captions: most captions of a clip, K.
    """

    def __init__(self, network: AutoCap, heard: Heard, longest: int, captions: int) -> None:
        self.bart, self.decoder = network.bart, network.bart.model.decoder
        self.heads = network.config.bart.heads
        self.clips, self.length = len(heard.states), 0
        # Masks are added to the scores of attention: nothing for tokens that are there, minus infinity for others.
        self.mask = heard.states.new_zeros(heard.mask.shape).masked_fill_(heard.mask == 0, _HIDDEN)
        self.lineage = heard.states.new_zeros(self.clips, 0)
        self.sound = [self._keys_values(layer.encoder_attn, heard.states) for layer in self.decoder.layers]
        shape = (self.clips, self.heads, longest * captions, network.config.bart.width // self.heads)
        self.past = [(heard.states.new_empty(shape), heard.states.new_empty(shape)) for _ in self.decoder.layers]
        bias = self.bart.final_logits_bias
        self.bias = bias if bias.any() else None  # a pass over all scores, which published weights do not need

    def step(self, tokens: Tensor) -> Tensor:
        """Read one token of each row, (R,); return the states of the last layer, (R, D)."""
        x = self.decoder.embed_tokens(tokens) + self.decoder.embed_positions.weight[self.length + _OFFSET]
        x = self.decoder.layernorm_embedding(x)
        self._add_to_lineage(len(tokens) // self.clips)
        for layer, past, sound in zip(self.decoder.layers, self.past, self.sound, strict=True):
            x = layer.self_attn_layer_norm(x + self._attend_past(layer.self_attn, x, past))
            x = layer.encoder_attn_layer_norm(x + self._attend_sound(layer.encoder_attn, x, sound))
            x = layer.final_layer_norm(x + layer.fc2(layer.activation_fn(layer.fc1(x))))
        self.length += 1
        return x

    def logits(self, states: Tensor) -> Tensor:
        """Return scores of the next token (R, vocabulary), float32."""
        scores = self.bart.lm_head(states)
        return (scores if self.bias is None else scores + self.bias).float()

    def choose(self, rows: Tensor) -> None:
        """Go on with these rows of the present ones, as many for each clip; a row may be named more than once."""
        self.lineage = self.lineage[rows]

    def keep(self, clips: Tensor) -> None:
        """Drop all clips but these; their rows are chosen apart."""
        self.clips, self.mask = len(clips), self.mask[clips]
        self.sound = [(keys[clips], values[clips]) for keys, values in self.sound]
        self.past = [(keys[clips], values[clips]) for keys, values in self.past]

    def _add_to_lineage(self, captions: int) -> None:
        """Let each row see the token that it reads now, and none of the other captions of its clip."""
        own = self.lineage.new_full((captions, captions), _HIDDEN).fill_diagonal_(0)
        self.lineage = torch.cat([self.lineage, own.repeat(self.clips, 1)], dim=1)

    def _attend_past(self, attention: Any, x: Tensor, past: tuple[Tensor, Tensor]) -> Tensor:
        """Attend from x (R, D) to the tokens of the same row so far, its own included; (R, D)."""
        keys, values = past
        seen = self.lineage.shape[1]
        here = slice(seen - len(x) // self.clips, seen)
        keys[:, :, here], values[:, :, here] = self._split(attention.k_proj(x)), self._split(attention.v_proj(x))
        lineage = self.lineage.view(self.clips, 1, -1, seen)
        return self._attend(attention, x, keys[:, :, :seen].transpose(2, 3), values[:, :, :seen], lineage)

    def _attend_sound(self, attention: Any, x: Tensor, sound: tuple[Tensor, Tensor]) -> Tensor:
        """Attend from x (R, D) to the sound of the row's clip; (R, D)."""
        return self._attend(attention, x, *sound, self.mask[:, None, None])

    def _attend(self, attention: Any, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Attend from x (R, D) to keys (B, H, d, T) and values (B, H, T, d); the mask fits (B, H, K, T)."""
        queries = self._split(attention.q_proj(x))
        # Written out: with so few queries this reads memory faster than the fused kernel.
        scores = (queries * queries.shape[-1] ** -0.5) @ keys + mask
        found = scores.softmax(dim=-1) @ values
        return attention.out_proj(found.transpose(1, 2).reshape(x.shape))

    def _keys_values(self, attention: Any, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys (B, H, d, S) and values (B, H, S, d) of states (B, S, D)."""
        keys, values = self._split(attention.k_proj(states)), self._split(attention.v_proj(states))
        return keys.transpose(2, 3).contiguous(), values.contiguous()

    def _split(self, x: Tensor) -> Tensor:
        """Return rows (R, D), or states (B, T, D), by clip and head: (B, H, K or T, d)."""
        return x.view(self.clips, -1, self.heads, x.shape[-1] // self.heads).transpose(1, 2)
