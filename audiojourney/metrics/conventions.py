"""The choices that published numbers hang on, under the name of the program that made them.

Two numbers are comparable only under one convention. `ours` is the default; docs/metrics.md says why it chooses as it
does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from audiojourney.errors import UsageError
from audiojourney.registry import offer

Bandwidth = Literal["reference", "generated"]
Direction = Literal["reference_generated", "generated_reference"]


@dataclass(frozen=True, kw_only=True)
class Convention:
    """How sounds are prepared and how numbers are computed.

    Attributes:
        name: under which it is asked for.
        channels: a stereo file becomes the mean of its channels, or its first channel.
        remove_offset: subtract each file's mean.
        shortest_samples: zero-pad files to so many samples before any network; 0 leaves that to the network.
        resampler: name in `audiojourney.data.resample`; "sinc" has the kernel of torchaudio.
        panns_rate_hz: which CNN14 measures FD, IS and KL.
        is_splits: parts of the inception score.
        is_seed: seed of the shuffle before splitting, None for the given order.
        kl_direction: which side is the first argument of the divergence.
        kl_floor: added to the probabilities of the second argument inside the logarithm.
        kad_bandwidth: the side whose median distance is the width of the kernel.
    """

    name: str
    channels: Literal["mean", "first"] = "mean"
    remove_offset: bool = False
    shortest_samples: int = 0
    resampler: Literal["soxr", "sinc"] = "soxr"
    panns_rate_hz: int = 16_000
    is_splits: int = 1
    is_seed: int | None = None
    kl_direction: Direction = "reference_generated"
    kl_floor: float = 1e-6
    kad_bandwidth: Bandwidth = "reference"

    def table(self) -> dict[str, Any]:
        """Plain values for a report."""
        return asdict(self)


OURS = Convention(name="ours")
AUDIOLDM_EVAL = replace(
    OURS,
    name="audioldm_eval",
    channels="first",
    remove_offset=True,
    shortest_samples=32_000,
    resampler="sinc",
    is_splits=10,
    is_seed=2020,
)
CONVENTIONS = {
    convention.name: convention
    for convention in (
        OURS,
        AUDIOLDM_EVAL,
        replace(OURS, name="kadtk", resampler="sinc", kad_bandwidth="generated"),
        replace(OURS, name="stable_audio_metrics", kl_direction="generated_reference"),
    )
}


def convention(name: str) -> Convention:
    """Look a convention up.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in CONVENTIONS:
        raise UsageError(f"There is no convention {name!r}.", offer(name, CONVENTIONS))
    return CONVENTIONS[name]
