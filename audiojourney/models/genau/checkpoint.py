"""Published GenAu checkpoints to a running generator.

A folder holds `<name>.ckpt` (or `.safetensors`) and `<name>.yaml`; parts that a checkpoint does not carry are
looked for beside it and then on the Hub. Sizes come from tensors, and what tensors cannot show from the YAML file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.clap.network import Clap
from audiojourney.models.fit import FIT
from audiojourney.models.genau.conditioner import DEFAULT_DATASET, GenAuConditioner
from audiojourney.models.genau.hifigan import HiFiGAN, HiFiGANConfig
from audiojourney.models.genau.official_yaml import OfficialSettings, read_settings
from audiojourney.models.genau.pipeline import GenAuGenerator, GenAuOptions
from audiojourney.models.genau.published import PARTS, locate
from audiojourney.models.genau.sizes import check_fit, fit_sizes, vae_sizes, vocoder_sizes
from audiojourney.models.genau.state import State, fill, fold_weight_norm, read_state, under
from audiojourney.models.genau.text_models import FlanT5
from audiojourney.models.genau.vae1d import VAE1d
from audiojourney.models.transformers_parts import read_tokenizer

FIT_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
VAE_PARTS = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")
VOCODER_PREFIX = "first_stage_model.vocoder."
CONDITIONER_PREFIX = "cond_stage_models."
RANKER_PREFIX = "clap."
VOCODER_JSON = "hifigan_16k_64bins.json"
RANKING_CLAP = "music_speech_audioset_epoch_15_esc_89.98"


@dataclass(frozen=True)
class Checkpoint:
    """A published generator on disk.

    Attributes:
        folder: where it and its parts lie.
        name: name of the model.
        state: all tensors by their published names.
        settings: what the YAML file beside it says.
    """

    folder: Path
    name: str
    state: State
    settings: OfficialSettings

    @classmethod
    def open(cls, folder: Path, name: str | None = None, group: int | None = None) -> Checkpoint:
        """Find and read the generator in `folder`.

        Args:
            folder: a local folder.
            name: file name without suffix, needed where the folder holds several generators.
            group: patches in a group, for a checkpoint without YAML file.

        Raises:
            MissingError: there is no checkpoint, or neither a YAML file nor `group`.
            UsageError: several generators, or an unreadable file.
        """
        path = _generator_file(folder, name)
        settings_file = path.with_suffix(".yaml")
        if settings_file.is_file():
            settings = read_settings(settings_file)
        elif group is not None:
            settings = OfficialSettings(fit={}, group=group, dim_head=64)
        else:
            raise MissingError(
                f"{path.name} needs {settings_file.name} beside it: its group size cannot be read from weights.",
                "Put the published YAML file there, or give the group size.",
            )
        return cls(folder, path.stem, read_state(path), settings)


def load_genau(
    folder: Path,
    *,
    name: str | None = None,
    group: int | None = None,
    dataset: str = DEFAULT_DATASET,
    options: GenAuOptions = GenAuOptions(),  # noqa: B008, frozen
) -> GenAuGenerator:
    """Return a generator from the published checkpoint in `folder`.

    Args:
        folder: a local folder.
        name: file name without suffix, needed where the folder holds several generators.
        group: patches in a group, for a checkpoint without YAML file.
        dataset: data set whose style is asked for.
        options: how the pipeline runs.

    Raises:
        MissingError: a part is neither in the folder nor to be had from the Hub.
        UsageError: parts do not fit together.
    """
    checkpoint = Checkpoint.open(folder, name, group)
    vae = load_vae(checkpoint)
    return GenAuGenerator(
        load_fit(checkpoint, vae.config.latent_channels),
        vae,
        load_vocoder(checkpoint),
        load_conditioner(checkpoint, dataset),
        schedule=load_schedule(checkpoint),
        prediction=checkpoint.settings.prediction,
        name=checkpoint.name,
        options=options,
        ranker=lambda: load_ranker(checkpoint),
    )


def load_fit(checkpoint: Checkpoint, channels: int = 64) -> FIT:
    """Return the denoiser; its sizes come from the tensors and must agree with the YAML file."""
    state, settings = under(checkpoint.state, FIT_PREFIX), checkpoint.settings
    if not state:
        raise MissingError(f"{checkpoint.name} has no tensors under {FIT_PREFIX!r}.", "Is it a GenAu generator?")
    sizes = fit_sizes(state, group=settings.group, dim_head=settings.dim_head, channels=channels)
    check_fit(sizes, settings)
    with torch.device("meta"):
        fit = FIT(sizes)
    fill(fit, state, "FIT")
    return fit


def load_vae(checkpoint: Checkpoint) -> VAE1d:
    """Return the autoencoder with the latent scale that the generator was trained at.

    Raises:
        MissingError: tensors are missing, or the scale is.
    """
    state = _vae_state(under(checkpoint.state, VAE_PREFIX))
    if not state:
        part = PARTS["1dvae_64ch_16k_64bins"].files[0]
        state = _vae_state(read_state(locate("1dvae_64ch_16k_64bins", checkpoint.folder) / part))
    if "scale_factor" not in checkpoint.state:
        raise MissingError(f"{checkpoint.name} lacks 'scale_factor', without which its latents cannot be decoded.")
    with torch.device("meta"):
        vae = VAE1d(vae_sizes(state))
    fill(vae, {**state, "scale_factor": checkpoint.state["scale_factor"].reshape(())}, "autoencoder")
    return vae


def load_vocoder(checkpoint: Checkpoint) -> HiFiGAN:
    """Return the vocoder: from the generator's checkpoint, else from its own file, which has weight norm."""
    state = under(checkpoint.state, VOCODER_PREFIX)
    beside = checkpoint.folder / VOCODER_JSON
    if not state:
        part = PARTS["hifigan_16k_64bins"]
        place = locate("hifigan_16k_64bins", checkpoint.folder)
        state, beside = read_state(place / part.files[0]), place / VOCODER_JSON
    state = fold_weight_norm(state)
    config = HiFiGANConfig.from_json(_json(beside)) if beside.is_file() else vocoder_sizes(state)
    with torch.device("meta"):
        vocoder = HiFiGAN(config)
    fill(vocoder, state, "vocoder")
    return vocoder


def load_conditioner(checkpoint: Checkpoint, dataset: str = DEFAULT_DATASET) -> GenAuConditioner:
    """Return the text encoders: from the generator's checkpoint, else from their own files."""
    settings, folder = checkpoint.settings, checkpoint.folder
    laion = _conditioner_state(checkpoint.state, "text_branch.", "clap_htsat_tiny", folder)
    t5 = _conditioner_state(checkpoint.state, "SelfAttention.q.weight", "flan-t5-large-weights", folder)
    return GenAuConditioner(
        Clap.from_laion(laion, read_tokenizer(locate("roberta-base", folder))),
        FlanT5.from_state(t5, read_tokenizer(locate("flan-t5-large", folder))),
        dataset,
        settings.dataset_ids,
        settings.condition_order,
    )


def load_ranker(checkpoint: Checkpoint) -> Clap:
    """Return the second CLAP, which ranks candidates."""
    state = under(checkpoint.state, RANKER_PREFIX)
    laion = under(state, "model.") or state
    if not laion:
        laion = read_state(locate(RANKING_CLAP, checkpoint.folder) / PARTS[RANKING_CLAP].files[0])
    return Clap.from_laion(laion, read_tokenizer(locate("roberta-base", checkpoint.folder)))


def load_schedule(checkpoint: Checkpoint) -> NoiseSchedule:
    """Return the noise schedule of the YAML file, checked against the table in the checkpoint.

    Raises:
        UsageError: they differ.
    """
    settings = checkpoint.settings
    schedule = NoiseSchedule.scaled_linear(settings.timesteps, start=settings.beta_start, end=settings.beta_end)
    table = checkpoint.state.get("alphas_cumprod")
    if table is not None and not torch.allclose(table.double(), schedule.alphas_cumprod, rtol=1e-3, atol=1e-6):
        raise UsageError(
            f"{checkpoint.name} was trained with another noise schedule than betas "
            f"{settings.beta_start} to {settings.beta_end} in {settings.timesteps} steps."
        )
    return schedule


def _generator_file(folder: Path, name: str | None) -> Path:
    if name is not None:
        candidates = [folder / f"{name}{suffix}" for suffix in (".ckpt", ".safetensors")]
    else:
        files = sorted([*folder.glob("*.ckpt"), *folder.glob("*.safetensors")])
        other = {file for part in PARTS.values() if part.role != "generator" for file in part.files}
        candidates = [path for path in files if path.name not in other]
    found = [path for path in candidates if path.is_file()]
    if not found:
        raise MissingError(f"{str(folder)!r} holds no GenAu checkpoint{f' {name!r}' if name else ''}.")
    if len(found) > 1 and name is None:
        raise UsageError(
            f"{str(folder)!r} holds {len(found)} checkpoints: {', '.join(p.stem for p in found)}.", "Name one."
        )
    return found[0]


def _vae_state(state: State) -> State:
    """Return the tensors of the autoencoder itself, without vocoder and losses."""
    return {name: tensor for name, tensor in state.items() if name.startswith(VAE_PARTS)}


def _conditioner_state(state: State, mark: str, part: str, folder: Path) -> State:
    """Return the tensors of the text encoder whose names contain `mark`, wherever the YAML file put it."""
    marked = [name for name in state if name.startswith(CONDITIONER_PREFIX) and mark in name]
    if marked:
        number = marked[0].split(".")[1]
        inner = under(state, f"{CONDITIONER_PREFIX}{number}.")
        return under(inner, "model.") or inner
    return read_state(locate(part, folder) / PARTS[part].files[0])


def _json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is no JSON ({error}).") from error
