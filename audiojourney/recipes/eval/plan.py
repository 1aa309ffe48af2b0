"""Which metrics are measured by which networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.names import KINDS, NAMES, parse_name
from audiojourney.recipes.eval.networks import Network, open_network, open_scorer
from audiojourney.recipes.eval.settings import FAMILIES, EvalConfig

# The network that the field means by the name of a metric.
STANDARD = {
    "fad": "vggish",
    "fad_inf": "vggish",
    "fd": "panns",
    "is": "panns",
    "kl": "panns",
    "kl_sigmoid": "panns",
    "kad": "panns",
    "precision": "panns",
    "recall": "panns",
    "density": "panns",
    "coverage": "panns",
    "clap": "laion",
}
ALONE = ("is", "clap")  # kinds that need no reference
OF_STATISTICS = ("fad", "fd")  # kinds that a file of statistics can be the reference of
STAND_IN = "pocket"


@dataclass(frozen=True)
class Slot:
    """A metric to be measured.

    Attributes:
        name: full name.
        kind: key of `audiojourney.metrics.names.KINDS`.
        network: what listens, or None where none can be had.
        reason: why there is none.
    """

    name: str
    kind: str
    network: Network | None
    reason: str = ""


class Planner:
    """Opens each network once, and the stand-in where a standard one cannot be had.

    Args:
        config: what is asked for.
        device: where networks run.
        on_warning: is told where something stands in.
    """

    def __init__(self, config: EvalConfig, device: str, on_warning: Callable[[str], None]) -> None:
        self.config, self.device, self._warn = config, device, on_warning
        self._opened: dict[str, Network | str] = {}
        self._told: set[str] = set()

    def slots(self, has_reference: bool) -> list[Slot]:
        """Return what is measured, each name once.

        Raises:
            MissingError: a network that `--embedding` or `--clap` names cannot be had.
            UsageError: there is no such network, or it carries none of the metrics.
        """
        found = [slot for name in self._names(has_reference) for slot in self._slots(name)]
        if self.config.embedding and not found:
            raise UsageError(f"None of {self.config.embedding} measures {', '.join(self._names(has_reference))}.")
        return list({slot.name: slot for slot in found}.values())

    def _names(self, has_reference: bool) -> list[str]:
        """Return kinds and full names, in the order in which they are shown."""
        asked = [kind for name in self.config.metrics for kind in FAMILIES.get(name, (name,))]
        if asked or self.config.metrics:
            return [name for name in asked if name in KINDS or name in NAMES]
        kinds = [kind for family in FAMILIES.values() for kind in family]
        if has_reference:
            return kinds
        statistics = self.config.reference_stats or self.config.save_stats
        return [kind for kind in kinds if kind in (OF_STATISTICS if statistics else ()) + ALONE]

    def _slots(self, name: str) -> Iterator[Slot]:
        if name in NAMES:
            kind, network = parse_name(name)
            opened = self._open(f"{network}/clap" if kind == "clap" and network == "pocket" else network)
            yield self._slot(name, kind, opened)
        elif name == "clap" and self.config.clap:
            yield self._named("clap", open_scorer(self.config.clap, self.device))
        elif self.config.embedding and name != "clap":
            networks = [self._given(given) for given in self.config.embedding]
            yield from (self._named(name, network) for network in networks if network.embedder.name in KINDS[name])
        else:
            yield self._standard(name)

    def _standard(self, kind: str) -> Slot:
        wanted = STANDARD[kind]
        opened = self._open(wanted)
        if isinstance(opened, Network):
            return self._named(kind, opened)
        stand_in = self._open(f"{STAND_IN}/clap" if kind == "clap" else STAND_IN)
        if not isinstance(stand_in, Network):
            return Slot(f"{kind}_{wanted}", kind, None, f"{opened} {stand_in}")
        if wanted not in self._told:
            self._told.add(wanted)
            self._warn(
                f"{kind}_{wanted} and others by {wanted} cannot be measured: {opened} The shipped network stands in, "
                f"as {kind}_{STAND_IN}: its numbers compare with each other alone, with nothing published."
            )
        return self._named(kind, stand_in)

    def _slot(self, name: str, kind: str, opened: Network | str) -> Slot:
        return Slot(name, kind, None, opened) if isinstance(opened, str) else Slot(name, kind, opened)

    def _named(self, kind: str, network: Network) -> Slot:
        return Slot(f"{kind}_{network.embedder.name}", kind, network)

    def _given(self, name: str) -> Network:
        opened = self._open(name)
        if isinstance(opened, str):
            raise MissingError(opened)
        return opened

    def _open(self, name: str) -> Network | str:
        """Return a network, or why there is none."""
        if name not in self._opened:
            try:
                if name == f"{STAND_IN}/clap":
                    self._opened[name] = open_scorer(STAND_IN, self.device)
                else:
                    self._opened[name] = open_network(name, self.device)
            except (MissingError, ImportError) as error:
                self._opened[name] = " ".join(str(error).split())
        return self._opened[name]
