"""HTSAT, the audio encoder of AutoCap: a Swin transformer over a log-mel that is folded into a square.

B batch, F mel frames, M mel bins.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from audiojourney.data.mel import HTSAT as MEL
from audiojourney.errors import UsageError
from audiojourney.models.autocap.config import HTSATConfig
from audiojourney.models.transformers_parts import transformers_class
from audiojourney.models.windows import fuse_windows

FRAMES = 1024  # a log-mel is stretched to as many frames
LATENTS = 32  # moments of a clip, 0.3125 s each for 10 s
REPEATS = 32  # how often each moment stands in the input of the Q-Former


class HTSAT(nn.Module):
    """Log-mel to 32 vectors in order of time.

    Args:
        config: sizes.
    """

    swin: Any

    def __init__(self, config: HTSATConfig) -> None:
        super().__init__()
        sizes = transformers_class("models.clap.configuration_clap", "ClapAudioConfig")(
            patch_embeds_hidden_size=config.width,
            hidden_size=config.out_width,
            depths=list(config.depths),
            num_attention_heads=list(config.heads),
            num_hidden_layers=len(config.depths),
            window_size=config.window,
            spec_size=256,
            num_mel_bins=MEL.n_mels,
            enable_fusion=False,
            hidden_dropout_prob=0.0,
        )
        self.swin = transformers_class("models.clap.modeling_clap", "ClapAudioModel")(sizes)
        fuse_windows(self.swin)

    def forward(self, mel: Tensor, keep: Tensor | None = None) -> Tensor:
        """Map log-mel (B, F, M) in dB to latents (B, 32, C).

        Args:
            mel: at most 1024 frames.
            keep: factor of each normalised mel value, (B, F, M); None keeps all.

        Raises:
            UsageError: there are more frames.
        """
        return self.grid(mel, keep).mean(dim=2).transpose(1, 2)

    def grid(self, mel: Tensor, keep: Tensor | None = None) -> Tensor:
        """Map log-mel (B, F, M) to (B, C, 2, 32): two bands of frequency by 32 moments."""
        if mel.shape[1] > FRAMES:
            raise UsageError(f"A log-mel of {mel.shape[1]} frames is longer than HTSAT hears, {FRAMES}.")
        if keep is None:
            return self.swin(input_features=mel[:, None]).last_hidden_state
        # The normalised values lie as (B, M, F, 1), and the network gives no other access to them.
        blank = self.swin.audio_encoder.batch_norm.register_forward_hook(
            lambda layer, inputs, output: output * keep.transpose(1, 2)[..., None]
        )
        try:
            return self.swin(input_features=mel[:, None]).last_hidden_state
        finally:
            blank.remove()
