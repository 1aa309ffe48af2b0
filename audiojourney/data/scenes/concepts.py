"""The names of everything that a scene can hold, in one fixed order.

Models store probabilities per concept by position, so a name is only ever added at the end.
"""

from __future__ import annotations

from audiojourney.errors import UsageError
from audiojourney.registry import offer

GROUPS: dict[str, tuple[str, ...]] = {
    "weather": ("rain", "rain_tin", "wind", "thunder", "fire", "wind_chimes"),
    "water": ("sea_waves", "stream", "drips", "bubbles", "pouring", "kettle"),
    "animals": ("crickets", "bird", "dog", "cat", "cow", "frog", "owl", "bee", "horse"),
    "machines": ("engine", "helicopter", "clock", "vacuum", "drill", "saw", "chainsaw", "train", "typing"),
    "signals": ("siren", "alarm", "church_bell", "train_horn", "phone", "doorbell", "whistle", "car_horn"),
    "people": ("footsteps", "knock", "applause", "snoring", "heartbeat", "glass", "door_creak", "fireworks"),
}

# Voices are not synthesised: these come from recordings only.
RECORDED: dict[str, str] = {"baby_cry": "people", "sneeze": "people", "rooster": "animals"}

# Too soft to be heard from afar, so no scene puts them there.
CLOSE_UP = frozenset({"drips", "bubbles", "pouring", "bee", "clock", "typing", "snoring", "heartbeat", "door_creak"})

# Sounds of a kind: at the same time one would hide the other, or nobody could tell them apart.
ALIKE = (
    frozenset({"rain", "rain_tin", "stream", "sea_waves", "wind", "applause"}),
    frozenset({"rain", "rain_tin", "fire", "applause"}),
    frozenset({"engine", "helicopter", "vacuum", "drill", "chainsaw", "train", "bee"}),
    frozenset({"siren", "alarm", "phone", "train_horn", "car_horn", "whistle", "kettle"}),
    frozenset({"church_bell", "doorbell", "wind_chimes", "phone"}),
    frozenset({"knock", "footsteps", "horse", "typing", "clock", "drips", "heartbeat"}),
    frozenset({"thunder", "fireworks"}),
    frozenset({"bubbles", "stream", "pouring", "drips"}),
    frozenset({"saw", "snoring"}),
)

CONCEPTS: tuple[str, ...] = (*(name for names in GROUPS.values() for name in names), *RECORDED)

# Label of the ESC-10 recordings -> concept.
ESC10_CONCEPTS: dict[str, str] = {
    "dog bark": "dog",
    "rain": "rain",
    "sea waves": "sea_waves",
    "baby cry": "baby_cry",
    "clock tick": "clock",
    "sneeze": "sneeze",
    "helicopter": "helicopter",
    "chainsaw": "chainsaw",
    "rooster": "rooster",
    "fire crackling": "fire",
}

_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names} | RECORDED


def group_of(concept: str) -> str:
    """Group that a concept belongs to, such as "weather" for "rain".

    Raises:
        UsageError: no such concept.
    """
    if concept not in _GROUP_OF:
        raise UsageError(f"There is no sound called {concept!r}.", offer(concept, CONCEPTS))
    return _GROUP_OF[concept]


def concept_of(label: str) -> str:
    """Concept that a label of a data set stands for; a label without one is returned as it is."""
    return ESC10_CONCEPTS.get(label, label)
