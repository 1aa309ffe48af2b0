"""The network of AutoCap: HTSAT, Q-Former, metadata and CLAP token into BART.

Attention is that of transformers, whose import takes seconds and so happens when a network is built.

B batch, F mel frames, M mel bins, Q audio tokens, N metadata tokens, S tokens of BART's input, L caption tokens,
D width of BART.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audiojourney.models.autocap.config import END, PAD, SPECIAL_TOKENS, START, AutoCapConfig, BartSizes, QFormerConfig
from audiojourney.models.autocap.htsat import HTSAT, REPEATS
from audiojourney.models.transformers_parts import transformers_class

IGNORED = -100
LABEL_SMOOTHING = 0.1


@dataclass(frozen=True)
class Heard:
    """What BART's decoder attends to.

    Attributes:
        states: outputs of the encoder, (B, S, D).
        mask: 1 where a token is real, (B, S), int64.
    """

    states: Tensor
    mask: Tensor

    def rows(self, index: Tensor) -> Heard:
        """Return the items of the batch that `index` (R,) names."""
        return Heard(self.states[index], self.mask[index])


class AutoCap(nn.Module):
    """Sound, CLAP vector and metadata to a caption.

    Args:
        config: sizes and conventions.
    """

    qformer: Any
    bart: Any

    def __init__(self, config: AutoCapConfig) -> None:
        super().__init__()
        self.config = config
        width = config.bart.width
        self.htsat = HTSAT(config.htsat)
        self.audio_in = nn.Linear(config.htsat.out_width, width)
        self.positions = nn.Embedding(config.audio_positions, width)
        self.audio_norm = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.zeros(1, config.qformer.queries, config.qformer.width))
        self.qformer = _qformer(config.qformer, width)
        self.audio_out = nn.Linear(config.qformer.width, width)
        if config.clap_width is not None:
            self.clap_in = nn.Linear(config.clap_width, width)
            self.clap_norm = nn.LayerNorm(width)
        self.special = nn.Embedding(SPECIAL_TOKENS, width)
        self.bart = _bart(config.bart)

    def initialise(self) -> None:
        """Give the new parts their first weights, once BART has its own.

        Audio positions begin as BART's, opening tags as its `<s>`, closing tags as its `</s>`.
        """
        words, table = self.bart.model.shared.weight, self.bart.model.encoder.embed_positions.weight
        with torch.no_grad():
            self.queries.normal_(0, 0.02)
            rows = min(len(table), len(self.positions.weight))
            self.positions.weight[:rows] = table[:rows]
            self.special.weight[0::2] = words[START]
            self.special.weight[1::2] = words[END]

    def train(self, mode: bool = True) -> AutoCap:
        """Switch dropout; the audio encoder is frozen and always measures."""
        super().train(mode)
        self.htsat.eval()
        return self

    def hear(self, mel: Tensor, keep: Tensor | None = None) -> Tensor:
        """Map log-mel (B, F, M) to audio tokens (B, Q, D).

        Args:
            mel: log-mel in dB.
            keep: 0 where a normalised mel value is blanked, (B, F, M), for SpecAugment; None keeps all.
        """
        latents = self.audio_in(self.htsat(mel, keep).to(self.audio_in.weight.dtype))
        dropped = F.dropout(latents.repeat_interleave(REPEATS, dim=1), self.config.audio_dropout, self.training)
        return self.ask(dropped)

    def ask(self, features: Tensor) -> Tensor:
        """Let the queries look at audio features (B, T, D), in the width of BART; return audio tokens (B, Q, D)."""
        features = self.audio_norm(features + self.positions.weight[: features.shape[1]])
        queries = self.queries.expand(len(features), -1, -1)
        answer = self.qformer(query_embeds=queries, encoder_hidden_states=features)
        return self.audio_out(answer.last_hidden_state)

    def read(self, ids: Tensor) -> Tensor:
        """Map metadata tokens (B, N), tags numbered from the size of the vocabulary on, to embeddings (B, N, D)."""
        vocabulary = self.config.bart.vocabulary
        words = self.bart.model.shared(ids.clamp(max=vocabulary - 1))
        tags = self.special((ids - vocabulary).clamp(min=0))
        embedded = torch.where((ids >= vocabulary)[..., None], tags, words)
        return F.dropout(embedded, self.config.text_dropout, self.training)

    def clap_token(self, clap: Tensor) -> Tensor:
        """Map CLAP vectors (B, C) to tokens (B, 1, D)."""
        return self.clap_norm(self.clap_in(clap))[:, None]

    def sequence(self, audio: Tensor, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Join `<s>`, audio tokens (B, Q, D) and metadata (B, N), which ends with `</s>`.

        Returns:
            Embeddings (B, 1 + Q + N, D) and their mask (B, 1 + Q + N).
        """
        start = self.bart.model.shared(ids.new_full((len(ids), 1), START))
        ones = mask.new_ones(len(mask), 1 + audio.shape[1])
        return torch.cat([start, audio, self.read(ids)], dim=1), torch.cat([ones, mask], dim=1)

    def encode(self, audio: Tensor, clap: Tensor | None, ids: Tensor, mask: Tensor) -> Heard:
        """Run BART's encoder.

        Args:
            audio: audio tokens (B, Q, D).
            clap: CLAP vectors (B, C), None without.
            ids: metadata tokens (B, N).
            mask: 1 where they are real, (B, N).
        """
        embeds, mask = self.sequence(audio, ids, mask)
        if clap is None:
            return Heard(self._encoder(embeds, mask), mask)
        token, one = self.clap_token(clap), mask.new_ones(len(mask), 1)
        longer = torch.cat([one, mask], dim=1)
        if self.config.clap_position == "encoder_input":
            return Heard(self._encoder(torch.cat([token, embeds], dim=1), longer), longer)
        return Heard(torch.cat([token, self._encoder(embeds, mask)], dim=1), longer)

    def forward(self, heard: Heard, inputs: Tensor) -> Tensor:
        """Map decoder inputs (B, L) to logits (B, L, vocabulary)."""
        states = self.bart.model.decoder(
            input_ids=inputs,
            encoder_hidden_states=heard.states,
            encoder_attention_mask=heard.mask,
        ).last_hidden_state
        return self.bart.lm_head(states) + self.bart.final_logits_bias

    def loss(self, heard: Heard, labels: Tensor, smoothing: float = LABEL_SMOOTHING) -> Tensor:
        """Cross entropy of captions (B, L), `IGNORED` where they are padded, averaged over all tokens, shape ()."""
        logits = self(heard, shifted(labels))
        return F.cross_entropy(
            logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, label_smoothing=smoothing
        )

    def _encoder(self, embeds: Tensor, mask: Tensor) -> Tensor:
        return self.bart.model.encoder(inputs_embeds=embeds, attention_mask=mask).last_hidden_state


def shifted(labels: Tensor) -> Tensor:
    """Return the decoder inputs (B, L) of captions (B, L): `</s>` in front, the last token dropped."""
    inputs = labels.new_full(labels.shape, END)
    inputs[:, 1:] = labels[:, :-1]
    return inputs.masked_fill(inputs == IGNORED, PAD)


def _qformer(sizes: QFormerConfig, width: int) -> nn.Module:
    config = transformers_class("models.blip_2.configuration_blip_2", "Blip2QFormerConfig")(
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.inner,
        encoder_hidden_size=width,
        cross_attention_frequency=1,
    )
    return transformers_class("models.blip_2.modeling_blip_2", "Blip2QFormerModel")(config)


def _bart(sizes: BartSizes) -> nn.Module:
    config = transformers_class("models.bart.configuration_bart", "BartConfig")(
        vocab_size=sizes.vocabulary,
        d_model=sizes.width,
        encoder_layers=sizes.layers,
        decoder_layers=sizes.layers,
        encoder_attention_heads=sizes.heads,
        decoder_attention_heads=sizes.heads,
        encoder_ffn_dim=sizes.inner,
        decoder_ffn_dim=sizes.inner,
        max_position_embeddings=sizes.positions,
        scale_embedding=False,
    )
    return transformers_class("models.bart.modeling_bart", "BartForConditionalGeneration")(config)
