"""FIT: a transformer that moves audio between local patches and global latents (GenAu, arXiv 2406.19388, section 3.2).

Patch tokens attend within short groups, latent tokens attend to each other over the whole sound, and the two
exchange what they know group by group. All conditions enter as context tokens that latents attend to.

Shapes: B batch, C channels, L latent frames, P patches, G groups, M latent tokens, D width, N word tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audiojourney.errors import UsageError
from audiojourney.models.base import Condition
from audiojourney.models.fit_config import DATASETS, TIME_FREQUENCIES, FITConfig
from audiojourney.models.fit_layers import Attention, FeedForward, GainNorm, TimeFeatures

INIT_SCALE = 0.57735026919  # 1 / sqrt(3), on every linear layer but those that make context tokens


class SelfAttentionLayer(nn.ModuleList):
    """Self-attention, then feed-forward, each with its residual sum.

    Args:
        width: width of the tokens.
        dim_head: width of one attention head.
        dropout: dropout inside the feed-forward part.
    """

    def __init__(self, width: int, dim_head: int, dropout: float) -> None:
        super().__init__([Attention(width, width, dim_head), FeedForward(width, dropout)])

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (B, N, D) to the same shape."""
        x = x + self[0](x)
        return x + self[1](x)


class LocalLayers(nn.Module):
    """What every block begins with: self-attention of patches within their group.

    Args:
        config: sizes of the network.
    """

    def __init__(self, config: FITConfig) -> None:
        super().__init__()
        self.config = config
        self.local_layers = nn.Sequential(
            *(
                SelfAttentionLayer(config.patch_width, config.dim_head, config.dropout)
                for _ in range(config.local_layers)
            )
        )

    def grouped(self, patches: Tensor) -> Tensor:
        """View patches (B, P, D) as groups (B * G, P / G, D)."""
        return patches.view(-1, self.config.group, patches.shape[-1])

    def attend_locally(self, patches: Tensor) -> Tensor:
        """Map patches (B, P, D) to the same shape; groups do not see each other."""
        return self.local_layers(self.grouped(patches)).view_as(patches)


class LastBlock(LocalLayers):
    """The last block of a FIT: local layers alone."""

    def forward(self, patches: Tensor) -> Tensor:
        """Map patches (B, P, D) to the same shape."""
        return self.attend_locally(patches)


class FITBlock(LocalLayers):
    """Local layers, then context, read, global layers and write.

    Args:
        config: sizes of the network.
    """

    def __init__(self, config: FITConfig) -> None:
        super().__init__(config)
        patch, latent, head = config.patch_width, config.latent_width, config.dim_head
        read, context = config.read_width, config.context_attention_width
        self.latents_attend_to_context = Attention(latent, context, head, config.context_width)
        self.latents_context_attn_ff = FeedForward(latent)
        self.latents_attend_to_patches = Attention(latent, read, head, patch)
        self.latents_cross_attn_ff = FeedForward(latent)
        self.global_layers = nn.Sequential(
            *(SelfAttentionLayer(latent, head, config.dropout) for _ in range(config.global_layers))
        )
        self.patches_attend_to_latents = Attention(patch, read, head, latent)
        self.patches_cross_attn_ff = FeedForward(patch)

    def forward(self, patches: Tensor, latents: Tensor, context: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Exchange patches (B, P, D), latents (B, M, E) and context (B, S, C); return new patches and latents.

        `mask` (B, S) is True where a context token is real; None means that all are.
        """
        patches = self.attend_locally(patches)
        latents = latents + self.latents_attend_to_context(latents, context, mask)
        latents = latents + self.latents_context_attn_ff(latents)
        latents = self._read(patches, latents)
        latents = self.global_layers(latents)
        return self._write(patches, latents), latents

    def _owned(self, latents: Tensor) -> Tensor:
        """View latents (B, M, E) as those of each group, (B * G, M / G, E)."""
        return latents.view(-1, self.config.group_latents, latents.shape[-1])

    def _read(self, patches: Tensor, latents: Tensor) -> Tensor:
        """Let latents (B, M, E) attend to the patches of their own group."""
        own = self._owned(latents)
        own = own + self.latents_attend_to_patches(own, self.grouped(patches))
        return (own + self.latents_cross_attn_ff(own)).view_as(latents)

    def _write(self, patches: Tensor, latents: Tensor) -> Tensor:
        """Let patches (B, P, D) attend to the latents of their own group."""
        grouped = self.grouped(patches)
        grouped = grouped + self.patches_attend_to_latents(grouped, self._owned(latents))
        return (grouped + self.patches_cross_attn_ff(grouped)).view_as(patches)


class FIT(nn.Module):
    """The denoiser of GenAu.

    Args:
        config: sizes of the network.
    """

    def __init__(self, config: FITConfig) -> None:
        super().__init__()
        self.config = config
        features, width, context = config.channels * config.patch, config.patch_width, config.context_width
        self.latents = nn.Parameter(torch.randn(config.latent_count, config.latent_width) * 0.02)
        self.patches_pe = nn.Parameter(torch.randn(config.patches, width) * 0.02)
        self.to_patches = nn.Sequential(nn.Linear(features, width), nn.LayerNorm(width))
        blocks: list[nn.Module] = [FITBlock(config) for _ in range(config.blocks)]
        self.blocks = nn.ModuleList([*blocks, LastBlock(config)] if config.local_layers else blocks)
        self.patch_to_pixels = nn.Sequential(GainNorm(width), nn.Linear(width, features))
        gain = GainNorm(config.latent_width)
        nn.init.zeros_(gain.gamma)
        self.self_conditioning_latents_projection = nn.Sequential(FeedForward(config.latent_width), gain)
        self._scale_linear_layers()
        # What makes context tokens keeps the plain initialisation, so it is built after the scaling.
        self.time_mlp = nn.Sequential(
            TimeFeatures(TIME_FREQUENCIES),
            nn.Linear(1 + 2 * TIME_FREQUENCIES, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, context),
        )
        self.dataset_id_conditioning_mlp = nn.Sequential(nn.Linear(DATASETS, context))
        self.context_projection_summary_text_embeddings = nn.Linear(config.text_width, context, bias=False)
        self.word_projection = None if config.token_width is None else nn.Linear(config.token_width, context)

    def forward(self, x: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """Predict from latents (B, C, L) at time steps (B,); the result has shape (B, C, L)."""
        return self.predict(x, t, condition)[0]

    def predict(
        self,
        x: Tensor,
        t: Tensor,
        condition: Condition,
        previous: Tensor | None = None,
        previous_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Predict, and return the latent tokens that the next sampling step may start from.

        Args:
            x: noisy latents of shape (B, C, L); L is a multiple of `config.group_frames`, at most `config.length`.
            t: time steps as the schedule counts them, shape (B,).
            condition: text vector and data set, word tokens where the network was built for them.
            previous: latent tokens that an earlier step returned, shape (B, M, E).
            previous_mask: True where `previous` is to be used, shape (B,); None means everywhere.

        Returns:
            The prediction (B, C, L) and the latent tokens (B, M, E) after the last full block.

        Raises:
            UsageError: L does not fit whole groups or is longer than the network knows.
        """
        groups = self._count_groups(x)
        context, mask = self.context(t, condition)
        patches = self._embed(x, groups)
        latents = self._start(x.shape[0], groups, previous, previous_mask)
        for block in self.blocks[: self.config.blocks]:
            patches, latents = block(patches, latents, context, mask)
        for block in self.blocks[self.config.blocks :]:
            patches = block(patches)
        return self._unpatch(self.patch_to_pixels(patches)), latents

    @property
    def uses_previous(self) -> bool:
        """False when self-conditioning is switched off by a gain of zero, as training leaves it."""
        return bool(self.get_parameter("self_conditioning_latents_projection.1.gamma").detach().any())

    def context(self, t: Tensor, condition: Condition) -> tuple[Tensor, Tensor | None]:
        """Return the context tokens (B, S, C) in the order text, time, data set, words, and their mask (B, S).

        Raises:
            UsageError: words are missing that the network was built for, or the other way round.
        """
        text = self.context_projection_summary_text_embeddings(condition.pooled)
        ids = condition.dataset_ids
        ids = torch.zeros_like(t, dtype=torch.long) if ids is None else ids
        dataset = self.dataset_id_conditioning_mlp(F.one_hot(ids, DATASETS).to(text.dtype))
        tokens = torch.stack([text, self._time_token(t, text.dtype), dataset], dim=1)
        if self.word_projection is None:
            return tokens, None
        if condition.tokens is None:
            raise UsageError(f"a FIT with token_width {self.config.token_width} needs word tokens in its condition.")
        words = torch.cat([tokens, self.word_projection(condition.tokens)], dim=1)
        if condition.mask is None:
            return words, None
        return words, torch.cat([condition.mask.new_ones(tokens.shape[:2]), condition.mask], dim=1)

    def _time_token(self, t: Tensor, dtype: torch.dtype) -> Tensor:
        """Embed time steps (B,) as (B, C), in float32 also under autocast: bfloat16 cannot count to 1000."""
        with torch.autocast(t.device.type, enabled=False):
            return self.time_mlp(t).to(dtype)

    def _count_groups(self, x: Tensor) -> int:
        """Return the number of groups that latents (B, C, L) fill."""
        length, frames = x.shape[-1], self.config.group_frames
        if length % frames or not 0 < length <= self.config.length:
            raise UsageError(
                f"FIT cannot take {length} latent frames: "
                f"it needs a multiple of {frames}, at most {self.config.length}.",
            )
        return length // frames

    def _embed(self, x: Tensor, groups: int) -> Tensor:
        """Cut latents (B, C, L) into patch tokens (B, P, D); features are channel-major within a patch."""
        batch, channels, _ = x.shape
        cut = x.view(batch, channels, -1, self.config.patch).transpose(1, 2).flatten(2)
        return self.to_patches(cut) + self.patches_pe[: groups * self.config.group]

    def _unpatch(self, pixels: Tensor) -> Tensor:
        """Undo the cut of `_embed`: (B, P, C * patch) to (B, C, L)."""
        return pixels.unflatten(-1, (self.config.channels, self.config.patch)).transpose(1, 2).flatten(2)

    def _start(self, batch: int, groups: int, previous: Tensor | None, mask: Tensor | None) -> Tensor:
        """Return the first latent tokens (B, M, E)."""
        latents = self.latents[: groups * self.config.group_latents].expand(batch, -1, -1)
        if previous is None:
            return latents
        projected = self.self_conditioning_latents_projection(previous)
        return latents + (projected if mask is None else projected * mask[:, None, None])

    def _scale_linear_layers(self) -> None:
        """Shrink the initial values of all linear layers built so far."""
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    module.weight.mul_(INIT_SCALE)
                    if module.bias is not None:
                        module.bias.mul_(INIT_SCALE)
