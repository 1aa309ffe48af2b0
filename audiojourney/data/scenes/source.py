"""What one procedural sound source is: a name, a group and a recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Group = Literal["weather", "water", "animals", "machines", "signals", "people"]
Wave = np.ndarray  # float32 in [-1, 1], shape (T,)


@dataclass(frozen=True)
class Rendered:
    """A rendered source.

    Attributes:
        wave: float32, shape (T,), peak at most 1, never all zero.
        events: start and end of each audible event in seconds; one spanning event for a continuous sound.
        attributes: words that are true of this very rendering, such as {"size": "small", "surface": "gravel"};
            `count` is the number of separate events as a decimal string where a listener could count them.
    """

    wave: Wave
    events: tuple[tuple[float, float], ...]
    attributes: dict[str, str] = field(default_factory=dict)


Recipe = Callable[[np.random.Generator, int, int], Rendered]  # (rng, samples, rate_hz)


@dataclass(frozen=True)
class Source:
    """One kind of sound that the synthesiser can make.

    Attributes:
        name: identifier in snake case, such as `rain_tin`.
        group: one of the six groups.
        render: recipe; same generator state gives the same samples.
        continuous: True for textures that go on (rain), False for separate events (knock).
    """

    name: str
    group: Group
    render: Recipe
    continuous: bool
