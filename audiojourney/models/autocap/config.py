"""Sizes and conventions of AutoCap (arXiv 2406.19388, section 3); the defaults are the published model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from audiojourney.errors import UsageError

ClapPosition = Literal["encoder_input", "encoder_output"]
Blanks = Literal["dropped", "kept"]
FIELDS = ("labels", "visual_caption", "title", "subtitles")  # in the order in which a captioner reads them
START, PAD, END = 0, 1, 2  # tokens of BART
SPECIAL_TOKENS = 12


@dataclass(frozen=True, kw_only=True)
class HTSATConfig:
    """Sizes of the audio encoder.

    Attributes:
        width: channels of the first stage; every further stage has twice as many.
        depths: blocks of each stage.
        heads: attention heads of each stage.
        window: side of an attention window in tokens.
    """

    width: int = 96
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (4, 8, 16, 32)
    window: int = 8

    @property
    def out_width(self) -> int:
        """Channels of the last stage."""
        return self.width * 2 ** (len(self.depths) - 1)


@dataclass(frozen=True, kw_only=True)
class QFormerConfig:
    """Sizes of the Q-Former.

    Attributes:
        width: width of the queries.
        layers: number of layers; each looks at the sound.
        heads: attention heads.
        inner: width inside the feed-forward parts.
        queries: number of queries Q, which is the number of audio tokens that BART reads.
    """

    width: int = 256
    layers: int = 2
    heads: int = 8
    inner: int = 3072
    queries: int = 256


@dataclass(frozen=True, kw_only=True)
class BartSizes:
    """Sizes of the text model; the defaults are those of `facebook/bart-base`.

    Attributes:
        vocabulary: tokens.
        width: width D.
        layers: layers of the encoder and of the decoder.
        heads: attention heads.
        inner: width inside the feed-forward parts.
        positions: longest sequence.
    """

    vocabulary: int = 50_265
    width: int = 768
    layers: int = 6
    heads: int = 12
    inner: int = 3072
    positions: int = 1024


@dataclass(frozen=True, kw_only=True)
class AutoCapConfig:
    """Everything that the network is built from.

    Attributes:
        htsat: sizes of the audio encoder.
        qformer: sizes of the Q-Former.
        bart: sizes of the text model.
        audio_positions: rows of the position table of the audio.
        clap_width: width of the CLAP vector; null for a model without CLAP token.
        clap_position: whether the CLAP token stands in front of the input or of the output of BART's encoder. The
            paper has it in the input (equation 3); the released code decodes so, and trains with the other.
        audio_dropout: dropout of audio features in training.
        text_dropout: dropout of metadata embeddings in training.
        metadata_tokens: longest metadata, its closing token not counted.
        fields: metadata that is read, out of `labels`, `visual_caption`, `title`, `subtitles`.
        blanks: whether blanks and line feeds beside the tags are tokens; the tokenizers of transformers before and
            after release 4.41 differ in that.
    """

    htsat: HTSATConfig = field(default_factory=HTSATConfig)
    qformer: QFormerConfig = field(default_factory=QFormerConfig)
    bart: BartSizes = field(default_factory=BartSizes)
    audio_positions: int = 1026
    clap_width: int | None = 512
    clap_position: ClapPosition = "encoder_input"
    audio_dropout: float = 0.2
    text_dropout: float = 0.2
    metadata_tokens: int = 128
    fields: tuple[str, ...] = ("visual_caption", "title")
    blanks: Blanks = "dropped"

    def __post_init__(self) -> None:
        """Refuse values that do not fit together.

        Raises:
            UsageError: an unknown metadata field, or a sequence longer than BART's positions.
        """
        for name in self.fields:
            if name not in FIELDS:
                raise UsageError(f"model.fields has {name!r}.", f"Give some of: {', '.join(FIELDS)}.")
        longest = self.qformer.queries + self.metadata_tokens + 3
        if longest > self.bart.positions:
            raise UsageError(
                f"{self.qformer.queries} audio tokens and {self.metadata_tokens} tokens of metadata make up to "
                f"{longest}, and BART has {self.bart.positions} positions.",
                "Lower model.qformer.queries or model.metadata_tokens.",
            )
