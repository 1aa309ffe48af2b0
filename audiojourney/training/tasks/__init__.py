"""One file a model: its data, loss and validation. Nothing is imported before a task is asked for by name."""

from __future__ import annotations

from typing import Any, get_type_hints

from audiojourney.registry import Registry

_HERE = "audiojourney.training.tasks"

TASKS = Registry(
    "task",
    {
        "pocket/autoencoder": f"{_HERE}.autoencoder:AutoencoderTask",
        "pocket/vocoder": f"{_HERE}.vocoder:VocoderTask",
        "pocket/text": f"{_HERE}.text:TextTask",
        "pocket/listener": f"{_HERE}.listener:ListenerTask",
        "pocket/generator": f"{_HERE}.generator:GeneratorTask",
        "pocket/clap": f"{_HERE}.clap:PocketClapTask",
        "pocket/captioner": f"{_HERE}.captioner:PocketCaptionerTask",
        "autocap": f"{_HERE}.autocap:AutoCapTask",
        "genau/vae": f"{_HERE}.genau_vae:GenauVaeTask",
        "genau/vocoder": f"{_HERE}.genau_vocoder:GenauVocoderTask",
        "genau/generator": f"{_HERE}.genau_generator:GenauGeneratorTask",
    },
)


def settings_class(task: str) -> type[Any]:
    """Return the dataclass of settings that `build` of a task asks for.

    Raises:
        UsageError: there is no such task; the nearest is offered.
    """
    return get_type_hints(TASKS.load(task).build)["config"]
