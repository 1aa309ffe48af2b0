"""Settings of `aj generate`, each default in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audiojourney import hub
from audiojourney.errors import UsageError
from audiojourney.recipes import naming
from audiojourney.recipes.prompts import Prompt

DEFAULT_FORMAT = "wav"


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """Settings of `aj generate`; None for steps, guidance, sampler and duration means the default of the model.

    Attributes:
        prompts: what to hear.
        model: pocket name, folder, published name or Hub id.
        output: file, folder, or `-` for standard output.
        duration_s: exact length in seconds.
        steps: denoising steps.
        guidance: classifier-free guidance scale.
        sampler: name of the sampler.
        negative: text to move away from.
        count: sounds for each prompt.
        candidates: sounds to choose each one from.
        keep: `best` of the candidates by the model's own ranking, or `all`.
        seed: seed of the first sound; None draws one.
        format: `wav`, `flac` or `ogg`; None follows the output file, else wav, which everything plays.
        rate_hz: sample rate; None is that of the model.
        loudness_lufs: integrated loudness of every sound (ITU-R BS.1770-4), where its peaks allow it; None leaves the
            level of the model.
        spectrogram: write a picture beside each sound.
        exists: what to do where a file exists; None renames a single sound and skips, in a batch, what is done.
        metadata: write prompt, seed, model and settings into the file.
        sidecar: write them into a `.json` beside it too.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: precision of the networks.
        batch: sounds made at once; None is 1 on a CPU, where that makes each sound independent of the others to the
            last bit, and 8 elsewhere.
        reproducible: take the deterministic way wherever the device knows a faster one.
        dry_run: plan only.
        model_sha256: the weights that are expected; others give a warning.
    """

    prompts: tuple[Prompt, ...] = ()
    model: str = hub.DEFAULT_MODEL
    output: str = "."
    duration_s: float | None = None
    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    negative: str = ""
    count: int = 1
    candidates: int = 1
    keep: Literal["best", "all"] = "best"
    seed: int | None = None
    format: Literal["wav", "flac", "ogg"] | None = None
    rate_hz: int | None = None
    loudness_lufs: float | None = None
    spectrogram: bool = False
    exists: Literal["rename", "skip", "overwrite", "error"] | None = None
    metadata: bool = True
    sidecar: bool = False
    device: str = "auto"
    dtype: Literal["fp32", "bf16", "fp16"] = "fp32"
    batch: int | None = None
    reproducible: bool = False
    dry_run: bool = False
    model_sha256: str | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "count", "candidates", "batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"--{name} is {value}; expected 1 or more.")
        lengths = [self.duration_s, *(prompt.duration_s for prompt in self.prompts)]
        for value in (length for length in lengths if length is not None):
            if not 0 < value < float("inf"):
                raise UsageError(f"--duration is {value}; expected seconds above 0.")
        if self.guidance is not None and not 0 <= self.guidance < float("inf"):
            raise UsageError(f"--guidance is {self.guidance}; expected 0 or more (1 switches it off).")
        if self.rate_hz is not None and not 1000 <= self.rate_hz <= 384_000:
            raise UsageError(f"--rate is {self.rate_hz}; expected 1000 to 384000 Hz.")
        if self.loudness_lufs is not None and not -70 <= self.loudness_lufs <= 0:
            raise UsageError(f"--loudness is {self.loudness_lufs}; expected -70 to 0 LUFS, such as -23.")
        naming.output_format(self.output, self.format, DEFAULT_FORMAT)

    @property
    def audio_format(self) -> str:
        """The format that is written."""
        return naming.output_format(self.output, self.format, DEFAULT_FORMAT)
