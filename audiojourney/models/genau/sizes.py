"""Sizes of GenAu networks, read from the shapes of their tensors."""

from __future__ import annotations

from audiojourney.errors import MissingError, UsageError
from audiojourney.models.fit_config import FITConfig
from audiojourney.models.genau.hifigan import HiFiGANConfig
from audiojourney.models.genau.official_yaml import OfficialSettings, extent
from audiojourney.models.genau.state import State
from audiojourney.models.genau.vae1d import VAE1dConfig


def fit_sizes(state: State, *, group: int, dim_head: int = 64, channels: int = 64) -> FITConfig:
    """Return the sizes of a FIT from its state.

    Args:
        state: tensors by name, without prefix.
        group: patches in a group; no tensor shows it, and a wrong value loads and gives noise.
        dim_head: width of one attention head; no tensor shows it either.
        channels: latent channels of the autoencoder.

    Raises:
        MissingError: a tensor that shows a size is missing.
        UsageError: the sizes do not belong together.
    """
    patches, patch_width = _shape(state, "patches_pe")
    latent_count, latent_width = _shape(state, "latents")
    context_width, text_width = _shape(state, "context_projection_summary_text_embeddings.weight")
    features = _shape(state, "to_patches.0.weight")[1]
    if features % channels:
        raise UsageError(f"The FIT takes patches of {features} features, no multiple of {channels} latent channels.")
    word = state.get("word_projection.weight")
    return FITConfig(
        channels=channels,
        length=patches * (features // channels),
        patch=features // channels,
        group=group,
        patch_width=patch_width,
        latent_width=latent_width,
        latent_count=latent_count,
        context_width=context_width,
        text_width=text_width,
        blocks=_count(state, "blocks.{}.latents_attend_to_patches.to_q.weight"),
        local_layers=_count(state, "blocks.0.local_layers.{}.0.to_q.weight"),
        global_layers=_count(state, "blocks.0.global_layers.{}.0.to_q.weight"),
        dim_head=dim_head,
        dropout=FITConfig.dropout if any(name.endswith(".net.3.weight") for name in state) else 0.0,
        token_width=None if word is None else word.shape[1],
        read_inner=_shape(state, "blocks.0.latents_attend_to_patches.to_q.weight")[0],
        context_inner=_shape(state, "blocks.0.latents_attend_to_context.to_q.weight")[0],
    )


def check_fit(sizes: FITConfig, settings: OfficialSettings) -> None:
    """Make sure that tensors and YAML file speak of the same FIT.

    Raises:
        UsageError: they do not; the setting is named.
    """
    table = settings.fit
    for key, found in (
        ("input_channels", sizes.channels),
        ("input_size", sizes.length),
        ("patch_size", sizes.patch),
        ("patch_channels", sizes.patch_width),
        ("latent_channels", sizes.latent_width),
        ("latent_count", sizes.latent_count),
        ("context_channels", sizes.context_width),
        ("summary_text_embeddings_channels", sizes.text_width),
        ("fit_blocks_count", sizes.blocks),
        ("local_layers_per_block", sizes.local_layers),
        ("global_layers_per_block", sizes.global_layers),
    ):
        if key in table and extent(table[key]) != found:
            raise UsageError(
                f"The settings say {key} {table[key]}, the tensors {found}.",
                "Give the checkpoint the YAML file that was published with it.",
            )


def vae_sizes(state: State) -> VAE1dConfig:
    """Return the sizes of an autoencoder from its state.

    Raises:
        MissingError: a tensor that shows a size is missing.
    """
    width, mel_bins, _ = _shape(state, "encoder.conv_in.weight")
    levels = range(_count(state, "encoder.down.{}.block.0.conv1.weight"))
    widths = [_shape(state, f"encoder.down.{level}.block.0.conv1.weight")[0] for level in levels]
    return VAE1dConfig(
        mel_bins=mel_bins,
        width=width,
        multipliers=tuple(level // width for level in widths),
        blocks=_count(state, "encoder.down.0.block.{}.conv1.weight"),
        inner_channels=_shape(state, "post_quant_conv.weight")[0],
        latent_channels=_shape(state, "post_quant_conv.weight")[1],
    )


def vocoder_sizes(state: State, published: HiFiGANConfig = HiFiGANConfig()) -> HiFiGANConfig:  # noqa: B008, frozen
    """Return the sizes of a vocoder without its JSON file: widths from tensors, rates as published.

    Raises:
        MissingError: a tensor that shows a size is missing.
        UsageError: the kernels are not those of the published vocoder, so its rates cannot be assumed.
    """
    width, mel_bins, _ = _shape(state, "conv_pre.weight")
    kernels = tuple(_shape(state, f"ups.{stage}.weight")[2] for stage in range(_count(state, "ups.{}.weight")))
    if kernels != published.kernels:
        raise UsageError(
            f"A vocoder with kernels {kernels} needs its JSON file, which gives the up-sampling rates.",
            "Put hifigan_16k_64bins.json beside the checkpoint.",
        )
    return HiFiGANConfig(mel_bins=mel_bins, width=width)


def _shape(state: State, name: str) -> tuple[int, ...]:
    if name not in state:
        raise MissingError(f"The checkpoint lacks {name!r}.", "Is it a GenAu generator?")
    return tuple(state[name].shape)


def _count(state: State, pattern: str) -> int:
    """Return how many names of a numbered series there are, from 0 without a gap."""
    number = 0
    while pattern.format(number) in state:
        number += 1
    return number
