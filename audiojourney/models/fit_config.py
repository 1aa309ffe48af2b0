"""Sizes of the FIT denoiser."""

from __future__ import annotations

from dataclasses import dataclass

from audiojourney.errors import UsageError

DATASETS = 32  # length of the one-hot data-set code in every published checkpoint
TIME_FREQUENCIES = 8


@dataclass(frozen=True, kw_only=True)
class FITConfig:
    """Sizes of a FIT; the defaults are those of GenAu-S as far as they can be derived.

    The paper gives patch size, group size and parameter counts but not the widths (GenAu, arXiv 2406.19388,
    section 4.2 and table 10). `small` and `large` therefore train models of the published size, and published
    checkpoints always bring their own sizes.

    Attributes:
        channels: latent channels of the autoencoder.
        length: longest latent sequence, in latent frames.
        patch: latent frames in a patch.
        group: patches in a group. It cannot be read from weights: a wrong value loads and gives noise.
        patch_width: width of patch tokens.
        latent_width: width of latent tokens.
        latent_count: latent tokens for the full length, a multiple of the number of groups.
        context_width: width of the context tokens that carry text, time and data set.
        text_width: width of the pooled text vector.
        blocks: number of local-read-global-write blocks; a last block with local layers alone follows.
        local_layers: self-attention layers within groups, in each block.
        global_layers: self-attention layers over all latents, in each block.
        dim_head: width of one attention head.
        dropout: dropout inside local and global feed-forward layers.
        token_width: width of word tokens appended to the context, or None for the pooled vector alone.
        read_inner: inner width of read and write attention; None means the smaller of the two token widths.
        context_inner: inner width of context attention; None means the smaller of latent and context width.
    """

    channels: int = 64
    length: int = 256
    patch: int = 1
    group: int = 32
    patch_width: int = 1024
    latent_width: int = 1024
    latent_count: int = 256
    context_width: int = 1024
    text_width: int = 1536
    blocks: int = 4
    local_layers: int = 2
    global_layers: int = 4
    dim_head: int = 64
    dropout: float = 0.1
    token_width: int | None = None
    read_inner: int | None = None
    context_inner: int | None = None

    def __post_init__(self) -> None:
        if self.length % (self.patch * self.group):
            raise UsageError(
                f"length {self.length} is not a multiple of patch {self.patch} times group {self.group}.",
                "Choose a group size that divides the number of patches.",
            )
        if self.latent_count % self.groups:
            raise UsageError(
                f"latent_count {self.latent_count} is not a multiple of the {self.groups} groups.",
                "Choose another group size or latent_count.",
            )
        for inner in (self.patch_width, self.latent_width, self.read_width, self.context_attention_width):
            if inner % self.dim_head:
                raise UsageError(f"attention width {inner} is not a multiple of dim_head {self.dim_head}.")

    @property
    def patches(self) -> int:
        """Number of patches in the full length."""
        return self.length // self.patch

    @property
    def groups(self) -> int:
        """Number of groups in the full length."""
        return self.patches // self.group

    @property
    def group_frames(self) -> int:
        """Latent frames that one group spans; shorter inputs must be a multiple of it."""
        return self.patch * self.group

    @property
    def group_latents(self) -> int:
        """Latent tokens that belong to one group."""
        return self.latent_count // self.groups

    @property
    def read_width(self) -> int:
        """Inner width of read and write attention."""
        return self.read_inner or min(self.patch_width, self.latent_width)

    @property
    def context_attention_width(self) -> int:
        """Inner width of the attention of latents to the context."""
        return self.context_inner or min(self.latent_width, self.context_width)

    @classmethod
    def small(cls) -> FITConfig:
        """Return a FIT of GenAu-S size: 493 M parameters, 250 GFLOP a forward."""
        return cls()

    @classmethod
    def large(cls) -> FITConfig:
        """Return a FIT of GenAu-L size: 1.25 G parameters, 643 GFLOP a forward."""
        return cls(blocks=8, global_layers=7)

    @classmethod
    def tiny(cls) -> FITConfig:
        """Return a FIT for tests and demonstrations: 2.7 M parameters, 0.15 GFLOP a forward."""
        return cls(
            group=16,
            patch_width=64,
            latent_width=64,
            latent_count=16,
            blocks=2,
            local_layers=1,
            global_layers=1,
            dropout=0.0,
        )

    @classmethod
    def pocket(
        cls, *, channels: int = 64, length: int = 256, text_width: int = 256, token_width: int | None = None
    ) -> FITConfig:
        """Return a FIT of some eight million parameters that trains on a CPU.

        Args:
            channels: latent channels of the autoencoder.
            length: longest latent sequence, a multiple of 32.
            text_width: width of the pooled text vector.
            token_width: width of word tokens, or None to go without them.
        """
        return cls(
            channels=channels,
            length=length,
            patch=2,
            group=16,
            patch_width=192,
            latent_width=256,
            latent_count=length // 2,
            context_width=256,
            text_width=text_width,
            blocks=2,
            local_layers=1,
            global_layers=2,
            dim_head=32,
            dropout=0.0,
            token_width=token_width,
        )
