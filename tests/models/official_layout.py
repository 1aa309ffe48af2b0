"""Writes tiny random GenAu networks the way the published checkpoints are laid out.

The translation to LAION's names is written here a second time, on purpose, in the other direction.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor, nn
from transformers import ClapConfig, ClapModel, PreTrainedTokenizerFast, T5Config, T5EncoderModel

from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.models.fit import FIT
from audiojourney.models.fit_config import FITConfig
from audiojourney.models.genau.hifigan import HiFiGAN, HiFiGANConfig
from audiojourney.models.genau.vae1d import VAE1d, VAE1dConfig

State = dict[str, Tensor]

CLAP_WIDTH, T5_WIDTH = 16, 24
FIT_TINY = FITConfig(
    channels=8,
    length=32,
    patch=1,
    group=8,
    patch_width=16,
    latent_width=32,
    latent_count=16,
    context_width=24,
    text_width=CLAP_WIDTH + T5_WIDTH,
    blocks=2,
    local_layers=1,
    global_layers=1,
    dim_head=8,
    dropout=0.1,
)
VAE_TINY = VAE1dConfig(mel_bins=16, width=32, multipliers=(1, 1, 2), blocks=1, inner_channels=12, latent_channels=8)
VOCODER_TINY = HiFiGANConfig(mel_bins=16, width=32, block_kernels=(3,), dilations=((1, 3),))
SCALE = 1.25

YAML = """
variables:
  latent: &latent_t 32
  channels: &channels 8
  trash: &head 8
model:
  class: !module src.models.genau_ddpm.GenAU
  params:
    linear_start: 0.0015
    linear_end: 0.0195
    timesteps: 1000
    parameterization: eps
    optimizer_config:
      optimizer: !module src.tools.lamb.Lamb
    unet_config:
      target: !module src.modules.fit.fit_audio.FIT
      params:
        fit_block_module: !module src.modules.fit.layers.fit_layers.FITBlockV5
        context_channels: 24
        summary_text_embeddings_channels: 40
        input_size: [1, *latent_t, 1]
        patch_size: [1, 1, 1]
        group_size: [1, 8, 1]
        input_channels: *channels
        patch_channels: 16
        latent_channels: 32
        latent_count: 16
        fit_blocks_count: 2
        local_layers_per_block: 1
        global_layers_per_block: 1
        fit_block_config: &block
          attention_class: !module src.modules.fit.layers.rin_layers.Attention
          ff_class: !module src.modules.fit.layers.rin_layers.FeedForward
          drop_units: 0.1
          default_attention_config: {heads: 4, dim_head: *head}
          local_attention_config: {heads: 2, dim_head: *head}
          read_latent_conditioning_attention_config: {heads: 2, dim_head: 4}
    cond_stage_config:
      film_clap_cond1: {pretrained_path: clap_htsat_tiny}
      film_flan_t5_cond2: {return_embeds: true, pool_tokens: true}
      noncond_dataset_ids: {dataset2id: {audiocaps: 0, clotho: 1, mine: 12}}
"""


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter a small random value, gains near one; return the module."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            gain = "gamma" in name or ("norm" in name.lower() and name.endswith("weight"))
            parameter.copy_(1 + 0.1 * values if gain else 0.1 * values)
    return module.eval()


def tiny_fit(seed: int = 1) -> FIT:
    """Return a random FIT with self-conditioning switched on."""
    return randomise(FIT(FIT_TINY), seed)


def tiny_vae(seed: int = 2) -> VAE1d:
    """Return a random autoencoder."""
    vae = randomise(VAE1d(VAE_TINY), seed)
    vae.scale_factor.fill_(SCALE)
    return vae


def tiny_vocoder(seed: int = 3) -> HiFiGAN:
    """Return a random vocoder."""
    return randomise(HiFiGAN(VOCODER_TINY), seed)


def tiny_clap(seed: int = 4, vocabulary: int = 300) -> ClapModel:
    """Return a random CLAP of transformers."""
    config = ClapConfig(
        text_config={
            "vocab_size": vocabulary,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 1,
            "intermediate_size": 48,
            "max_position_embeddings": 66,
            "projection_dim": CLAP_WIDTH,
        },
        audio_config={
            "patch_embeds_hidden_size": 8,
            "hidden_size": 64,
            "depths": [1, 2, 1, 1],
            "num_attention_heads": [1, 2, 4, 8],
            "projection_dim": CLAP_WIDTH,
        },
        projection_dim=CLAP_WIDTH,
    )
    return randomise(ClapModel(config), seed)


def tiny_t5(seed: int = 5, vocabulary: int = 300) -> T5EncoderModel:
    """Return a random T5 encoder of the gated kind."""
    config = T5Config(
        vocab_size=vocabulary,
        d_model=T5_WIDTH,
        d_kv=8,
        d_ff=40,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=16,
    )
    return randomise(T5EncoderModel(config), seed)


def save_tokenizer(folder: Path, start: str | None) -> Path:
    """Write a byte-level tokenizer; `start` is a token in front (RoBERTa), every text ends with `</s>`."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    inner = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(special + alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    template = "$A </s>" if start is None else f"{start} $A </s>"
    inner.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<s>", 0), ("</s>", 2)])
    PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", bos_token="<s>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


def laion_state(clap: ClapModel) -> State:
    """Return the tensors of a CLAP under LAION's names, with the parts that loaders must ignore."""
    laion: State = {}
    source = {name: tensor.clone() for name, tensor in clap.state_dict().items()}
    for name in [name for name in source if ".self.query." in name and name.startswith("audio_model")]:
        joint = torch.cat([source.pop(name.replace("query", part)) for part in ("query", "key", "value")])
        inner = name.removeprefix("audio_model.audio_encoder.").replace("attention.self.query", "attn.qkv")
        laion[f"audio_branch.{inner}"] = joint
    for name, tensor in source.items():
        if name.startswith("text_model."):
            if not name.endswith("token_type_ids"):
                laion["text_branch." + name.removeprefix("text_model.")] = tensor
            continue
        for new, old in (
            ("audio_model.audio_encoder.", "audio_branch."),
            ("batch_norm.", "bn0."),
            ("attention.output.dense", "attn.proj"),
            ("attention.self.relative", "attn.relative"),
            ("intermediate.dense", "mlp.fc1"),
            ("output.dense", "mlp.fc2"),
            ("layernorm_before", "norm1"),
            ("layernorm_after", "norm2"),
            ("linear1", "0"),
            ("linear2", "2"),
        ):
            name = name.replace(new, old)
        laion[name] = tensor
    laion["audio_branch.layers.0.blocks.0.attn_mask"] = torch.zeros(4, 64, 64)
    laion["audio_branch.head.weight"] = torch.zeros(527, 64)
    laion["audio_branch.tscam_conv.weight"] = torch.zeros(527, 64, 2, 3)
    laion["audio_branch.spectrogram_extractor.stft.conv_real.weight"] = torch.zeros(513, 1, 1024)
    laion["audio_branch.logmel_extractor.melW"] = torch.zeros(513, 64)
    laion["text_transform.sequential.0.weight"] = torch.zeros(16, 16)
    return laion


def with_weight_norm(state: State) -> State:
    """Return a vocoder state with every weight split into length and direction."""
    split: State = {}
    for name, tensor in state.items():
        if name.endswith(".weight"):
            norm = tensor.flatten(1).norm(dim=1).view(-1, *[1] * (tensor.ndim - 1))
            split[name.removesuffix("weight") + "weight_g"] = norm
            split[name.removesuffix("weight") + "weight_v"] = 3 * tensor  # the length of v does not matter
        else:
            split[name] = tensor
    return split


def prefixed(state: State, prefix: str) -> State:
    """Return tensors under `prefix`."""
    return {prefix + name: tensor for name, tensor in state.items()}


def vocoder_json(folder: Path) -> None:
    """Write the JSON file of the vocoder."""
    values = {
        "resblock": "1",
        "num_mels": VOCODER_TINY.mel_bins,
        "upsample_initial_channel": VOCODER_TINY.width,
        "upsample_rates": VOCODER_TINY.rates,
        "upsample_kernel_sizes": VOCODER_TINY.kernels,
        "resblock_kernel_sizes": VOCODER_TINY.block_kernels,
        "resblock_dilation_sizes": VOCODER_TINY.dilations,
    }
    (folder / "hifigan_16k_64bins.json").write_text(json.dumps(values), encoding="utf-8")


def generator_state() -> State:
    """Return the tensors of a whole published generator checkpoint."""
    vae = {name: tensor for name, tensor in tiny_vae().state_dict().items() if name != "scale_factor"}
    betas = NoiseSchedule.scaled_linear()
    t5 = tiny_t5().state_dict()
    return {
        **prefixed(tiny_fit().state_dict(), "model.diffusion_model._orig_mod."),
        **prefixed(vae, "first_stage_model."),
        **prefixed(tiny_vocoder().state_dict(), "first_stage_model.vocoder."),
        "first_stage_model.loss.logvar": torch.zeros(()),
        **prefixed(laion_state(tiny_clap()), "cond_stage_models.0.model."),
        "cond_stage_models.0.mel_transform.spectrogram.window": torch.zeros(4),
        **prefixed({**t5, "encoder.embed_tokens.weight": t5["shared.weight"]}, "cond_stage_models.1.model."),
        **prefixed(laion_state(tiny_clap(seed=6)), "clap.model."),
        "alphas_cumprod": betas.alphas_cumprod.float(),
        "logvar": torch.zeros(1000),
        "scale_factor": torch.tensor(SCALE),
    }


def write_official(folder: Path, state: State | None = None, name: str = "genau-full-tiny") -> Path:
    """Write a published generator: checkpoint, YAML, vocoder JSON and tokenizers; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": generator_state() if state is None else state, "epoch": 3}, folder / f"{name}.ckpt")
    (folder / f"{name}.yaml").write_text(YAML, encoding="utf-8")
    vocoder_json(folder)
    save_tokenizer(folder / "roberta-base", "<s>")
    save_tokenizer(folder / "flan-t5-large", None)
    return folder
