"""A captioner of 40,000 numbers, and how it would be published."""

from __future__ import annotations

import re

import torch

from audiojourney.models.autocap.config import AutoCapConfig, BartSizes, HTSATConfig, QFormerConfig
from audiojourney.models.autocap.network import AutoCap
from audiojourney.models.genau.state import State

CONFIG = AutoCapConfig(
    htsat=HTSATConfig(width=4, depths=(1, 1, 1, 2), heads=(1, 1, 2, 4)),
    qformer=QFormerConfig(width=32, heads=1, inner=24, queries=6),
    bart=BartSizes(vocabulary=261, width=64, layers=2, heads=1, inner=48, positions=128),
    audio_positions=1026,
    clap_width=10,
    metadata_tokens=40,
)
_OURS = {
    "queries": "audio_query_tokens",
    "audio_in": "enc_to_dec_proj",
    "positions": "audio_position_embedding",
    "audio_norm": "audio_Qfromer_layernorm_embedding",
    "audio_out": "audio_qformer_proj",
    "clap_in": "clap_proj",
    "clap_norm": "clap_layernorm",
    "special": "special_tokens_embed.special_token_embed",
}


def tiny_network(config: AutoCapConfig = CONFIG, seed: int = 0) -> AutoCap:
    """Return a network all of whose weights are random, biases and norms too."""
    torch.manual_seed(seed)
    network = AutoCap(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        for name, buffer in network.named_buffers():
            if name.endswith(("running_mean", "final_logits_bias")):
                buffer.normal_()
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    return network.eval()


def official_state(network: AutoCap) -> State:
    """Return the tensors of a network under their published names, with what a loader must ignore."""
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    official: State = {"clap_model.model.logit_scale_a": torch.zeros(()), "audio_clap_resampler.kernel": torch.zeros(3)}
    for name in [name for name in state if ".self.query." in name and name.startswith("htsat.")]:
        state[name.replace("attention.self.query", "attn.qkv")] = torch.cat(
            [state.pop(name.replace("query", part)) for part in ("query", "key", "value")]
        )
    for name, tensor in state.items():
        official[_published_name(name)] = tensor
        if name.startswith("bart."):
            official["special_tokens_embed.model." + name.removeprefix("bart.")] = tensor
    official["encoder.audio_enc.head.weight"] = torch.zeros(5, 5)
    official["encoder.audio_enc.audio_feats_extractor.log_trans.melW"] = torch.zeros(513, 64)
    official["audio_Qformer.bert.embeddings.position_ids"] = torch.zeros(1, 4)
    return official


def _published_name(name: str) -> str:
    if name.startswith("htsat."):
        name = name.replace("htsat.swin.audio_encoder.", "encoder.audio_enc.")
        for ours, theirs in (
            ("batch_norm.", "bn0."),
            ("attention.output.dense", "attn.proj"),
            ("attention.self.relative", "attn.relative"),
            ("intermediate.dense", "mlp.fc1"),
            ("output.dense", "mlp.fc2"),
            ("layernorm_before", "norm1"),
            ("layernorm_after", "norm2"),
        ):
            name = name.replace(ours, theirs)
        return name
    if name.startswith("qformer."):
        name = name.replace("qformer.layernorm.", "qformer.embeddings.LayerNorm.")
        name = re.sub(r"attention\.attention\.", "attention.self.", name)
        return name.replace("qformer.", "audio_Qformer.bert.", 1)
    if name.startswith("bart."):
        return "decoder." + name.removeprefix("bart.")
    head, _, rest = name.partition(".")
    return _OURS[head] + ("." + rest if rest else "")
