"""Key table: the tensors of LAION's CLAP checkpoints under the names of transformers.

They keep query, key and value of the audio branch in one matrix and carry classifier heads and spectrogram kernels
that nothing here uses.
"""

from __future__ import annotations

from typing import Any

from audiojourney.errors import MissingError, UsageError
from audiojourney.models.genau.state import State, under

_UNUSED = ("tscam_conv", "head.", "spectrogram_extractor", "logmel_extractor", "attn_mask")
_AUDIO_NAMES = {
    ".attn.proj.": ".attention.output.dense.",
    ".attn.relative_position": ".attention.self.relative_position",
    ".mlp.fc1.": ".intermediate.dense.",
    ".mlp.fc2.": ".output.dense.",
    ".norm1.": ".layernorm_before.",
    ".norm2.": ".layernorm_after.",
}
_PROJECTIONS = {"0": "linear1", "2": "linear2"}
OPTIONAL_IN_CLAP = ("position_ids", "token_type_ids", "relative_position_index", "num_batches_tracked")


def clap_state(laion: State) -> State:
    """Return the tensors of a LAION CLAP under the names of `transformers.ClapModel`.

    Args:
        laion: tensors named `text_branch.`, `text_projection.`, `audio_branch.`, `audio_projection.` and so on.

    Raises:
        MissingError: the tensors of a branch are missing.
        UsageError: the model fuses crops of long sounds, which is not supported.
    """
    for branch in ("text_branch.", "audio_branch.", "text_projection.", "audio_projection."):
        if not under(laion, branch):
            raise MissingError(f"The CLAP checkpoint has no tensors under {branch!r}.", "Is it one of LAION's?")
    fusing = [name for name in laion if "mel_conv2d" in name or "fusion_model" in name]
    if fusing:
        raise UsageError(f"A CLAP with fusion ({fusing[0]}) is not supported.", "Use an unfused checkpoint.")
    state: State = {name: laion[name] for name in ("logit_scale_a", "logit_scale_t") if name in laion}
    state |= {f"text_model.{name}": tensor for name, tensor in under(laion, "text_branch.").items()}
    for side in ("text", "audio"):
        for name, tensor in under(laion, f"{side}_projection.").items():
            layer, kind = name.split(".")
            state[f"{side}_projection.{_PROJECTIONS[layer]}.{kind}"] = tensor
    for name, tensor in under(laion, "audio_branch.").items():
        if not any(part in name for part in _UNUSED):
            state |= {f"audio_model.audio_encoder.{new}": value for new, value in audio_tensors(name, tensor).items()}
    return state


def audio_tensors(name: str, tensor: Any) -> State:
    """Return one audio tensor under its new name, or three where it holds query, key and value."""
    if ".attn.qkv." in name:
        before, kind = name.split(".attn.qkv.")
        parts = zip(("query", "key", "value"), tensor.chunk(3), strict=True)
        return {f"{before}.attention.self.{part}.{kind}": value for part, value in parts}
    for old, new in _AUDIO_NAMES.items():
        name = name.replace(old, new)
    return {name.replace("bn0.", "batch_norm.") if name.startswith("bn0.") else name: tensor}


def clap_sizes(state: State) -> dict[str, Any]:
    """Return the keyword arguments of `transformers.ClapConfig` that fit a translated state.

    Sizes come from shapes; heads of the text branch are 64 wide, as in every RoBERTa.
    """
    audio, text = under(state, "audio_model.audio_encoder."), under(state, "text_model.")
    stages = numbers(audio, "layers.")
    vocabulary, width = text["embeddings.word_embeddings.weight"].shape
    tables = [audio[f"layers.{i}.blocks.0.attention.self.relative_position_bias_table"] for i in stages]
    projection = state["text_projection.linear2.weight"].shape[0]
    embed = audio["patch_embed.proj.weight"]
    return {
        "text_config": {
            "vocab_size": vocabulary,
            "hidden_size": width,
            "num_hidden_layers": len(numbers(text, "encoder.layer.")),
            "num_attention_heads": max(width // 64, 1),
            "intermediate_size": text["encoder.layer.0.intermediate.dense.weight"].shape[0],
            "max_position_embeddings": text["embeddings.position_embeddings.weight"].shape[0],
            "type_vocab_size": text["embeddings.token_type_embeddings.weight"].shape[0],
            "projection_dim": projection,
        },
        "audio_config": {
            "patch_embeds_hidden_size": embed.shape[0],
            "patch_size": embed.shape[-1],
            "hidden_size": audio["norm.weight"].shape[0],
            "depths": [len(numbers(audio, f"layers.{i}.blocks.")) for i in stages],
            "num_attention_heads": [table.shape[1] for table in tables],
            "window_size": (round(tables[0].shape[0] ** 0.5) + 1) // 2,
            "num_mel_bins": audio["batch_norm.weight"].shape[0],
            "num_hidden_layers": len(stages),
            "projection_dim": projection,
        },
        "projection_dim": projection,
    }


def numbers(state: State, prefix: str) -> list[int]:
    """Return the numbers that follow `prefix` in the names, in order."""
    return sorted({int(name.removeprefix(prefix).split(".")[0]) for name in state if name.startswith(prefix)})
