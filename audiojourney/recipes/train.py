"""`aj pretrain` and `aj finetune`: settings to a run folder with a model in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import torch

from audiojourney.errors import MissingError
from audiojourney.models.device import find_device
from audiojourney.recipes import adapt, run_folder
from audiojourney.recipes.model_record import add_record
from audiojourney.recipes.train_config import TrainConfig
from audiojourney.training import parallel
from audiojourney.training.base import Trainable
from audiojourney.training.launch import launch
from audiojourney.training.loop import LoopReport, train
from audiojourney.training.progress import Progress
from audiojourney.training.tasks import TASKS

MakeProgress = Callable[[], Progress]


def run(config: TrainConfig, make_progress: MakeProgress = Progress) -> LoopReport:
    """Train, or continue a run that was stopped.

    Args:
        config: what, on what, how and where.
        make_progress: makes the display; importable by its name, since it is made in the first worker process.

    Raises:
        UsageError: settings do not fit, or the run folder belongs to others.
        MissingError: data or weights are absent.
    """
    check(config)
    if "RANK" in os.environ:
        # Started by another launcher, once for each process.
        if os.environ["RANK"] == "0":
            run_folder.prepare(config)
        return _work(config, make_progress, int(os.environ["WORLD_SIZE"]) if config.nproc == 1 else config.nproc)
    run_folder.prepare(config)
    if config.nproc > 1:
        return launch(_work, config.nproc, config, make_progress, config.nproc)
    return _work(config, make_progress, 1)


def check(config: TrainConfig) -> None:
    """Refuse a run that cannot begin, before anything is written.

    Raises:
        UsageError: the device is none.
        MissingError: device or data are absent.
    """
    find_device(config.loop.device)
    if not config.data:
        raise MissingError(f"No data to train {config.task} on.", "Give --data PATH; `aj data scenes PATH` makes some.")
    for path in config.data:
        if not path.exists():
            raise MissingError(f"There is no data at {path}.")


def build_task(config: TrainConfig) -> Trainable:
    """Make model and data of a run; the same seed gives the same first weights."""
    torch.manual_seed(config.loop.seed)
    task: Trainable = TASKS.load(config.task).build(config.task_settings(), config.data)
    if config.init is None:
        return task
    adapt.load_start(task, config.init)
    return task if config.lora_rank is None else adapt.LoraTask(task, config.lora_rank)


def _work(config: TrainConfig, make_progress: MakeProgress, world_size: int) -> LoopReport:
    """Train in this process, one of `world_size`."""
    if config.loop.threads is not None:
        torch.set_num_threads(config.loop.threads)
    accelerator = parallel.connect(config.loop.device, world_size)
    # The first process fills the caches of decoded data, the others find them.
    with accelerator.main_process_first():
        task = build_task(config)
    progress = make_progress() if accelerator.is_main_process else Progress()
    finish = partial(add_record, config=config)
    return train(task, config.loop, config.output, progress=progress, finish=finish, world_size=world_size)
