"""Names of generation metrics: the kind and the network, `fad_vggish`. There is no bare `fad`."""

from __future__ import annotations

from typing import NamedTuple

from audiojourney.errors import UsageError
from audiojourney.registry import offer

EMBEDDING = ("vggish", "panns", "openl3", "laion", "ms", "pocket")
CLASSIFYING = ("panns", "pocket")
MATCHING = ("laion", "ms", "pocket")

# Kind of metric -> the networks that can carry it. `fad` and `fd` are one formula: in this field the first has several
# rows a clip, the second one row a clip.
KINDS: dict[str, tuple[str, ...]] = {
    "fad": ("vggish", "pocket"),
    "fad_inf": ("vggish", "pocket"),
    "fd": ("panns", "openl3", "laion", "ms", "pocket"),
    "fd_inf": ("panns", "openl3", "laion", "ms", "pocket"),
    "kad": EMBEDDING,
    "precision": EMBEDDING,
    "recall": EMBEDDING,
    "density": EMBEDDING,
    "coverage": EMBEDDING,
    "is": CLASSIFYING,
    "kl": CLASSIFYING,
    "kl_sigmoid": CLASSIFYING,
    "kl_reverse": CLASSIFYING,
    "clap": MATCHING,
}
NAMES = tuple(f"{kind}_{network}" for kind, networks in KINDS.items() for network in networks)


class MetricName(NamedTuple):
    """A name taken apart.

    Attributes:
        kind: key of `KINDS`.
        network: what measures.
    """

    kind: str
    network: str

    def __str__(self) -> str:
        return f"{self.kind}_{self.network}"


def parse_name(name: str) -> MetricName:
    """Take a full name apart.

    Raises:
        UsageError: there is no such metric, or the name lacks its network.
    """
    if name in KINDS:
        known = " or ".join(f"{name}_{network}" for network in KINDS[name])
        raise UsageError(f"{name!r} does not say which network measures.", f"Write {known}.")
    if name not in NAMES:
        raise UsageError(f"There is no metric {name!r}.", offer(name, NAMES))
    kind, _, network = name.rpartition("_")
    return MetricName(kind, network)
