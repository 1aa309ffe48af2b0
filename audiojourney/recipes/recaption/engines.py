"""Who runs the shards: processes on this machine, or datatrove here and on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audiojourney.errors import require
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.layout import Order
from audiojourney.recipes.recaption.pool import Here, Identity, Pool, Tell
from audiojourney.recipes.recaption.shard import ShardReport


class Local:
    """This machine: a pool of watched processes, or with `isolate` off this process itself."""

    def __init__(self, config: RecaptionConfig, stop: Callable[[], bool]) -> None:
        self._backend: Pool | Here = Pool(config, stop) if config.isolate else Here(config, stop)

    def identity(self) -> Identity:
        """Return names and revisions of the models."""
        return self._backend.identity()

    def run(self, order: Order, numbers: Sequence[int], tell: Tell) -> list[ShardReport]:
        """Do shards (see `Pool.run`)."""
        return self._backend.run(order, numbers, tell)

    def close(self) -> None:
        """End all processes."""
        self._backend.close()


def datatrove(config: RecaptionConfig, order: Order, numbers: Sequence[int], tell: Tell) -> list[ShardReport] | None:
    """Do shards as tasks of datatrove, or hand them to a cluster.

    Returns:
        What was done, or None when a cluster does it later.

    Raises:
        MissingError: the extra `scale` is not installed.
    """
    require("datatrove", extra="scale", feature="--engine datatrove")
    from audiojourney.recipes.recaption.datatrove_engine import launch

    return launch(config, order, numbers, tell)
