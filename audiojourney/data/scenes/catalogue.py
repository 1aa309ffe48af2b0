"""Every sound source that can be synthesised, collected from the group modules."""

from __future__ import annotations

from audiojourney.data.scenes import animals, machines, people, signals, water, weather
from audiojourney.data.scenes.concepts import CONCEPTS, ESC10_CONCEPTS, GROUPS, RECORDED, group_of
from audiojourney.data.scenes.source import Source

__all__ = ["CONCEPTS", "ESC10_CONCEPTS", "GROUPS", "RECORDED", "SOURCES", "group_of"]

_MODULES = (weather, water, animals, machines, signals, people)

_FOUND = {source.name: source for module in _MODULES for source in module.SOURCES}

SOURCES: dict[str, Source] = {name: _FOUND[name] for names in GROUPS.values() for name in names}
