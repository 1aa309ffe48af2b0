"""Every reference number of the official modules, at 1e-4 of its size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from audiojourney.data.mel import CLAP, HTSAT, filterbank, log_mel, spectrum
from audiojourney.data.resample import resample
from audiojourney.models.autocap import network as networks
from audiojourney.models.autocap import official
from audiojourney.models.autocap.config import QFormerConfig
from audiojourney.models.autocap.htsat import HTSAT as Encoder
from audiojourney.models.autocap.htsat import REPEATS
from audiojourney.models.autocap.network import IGNORED, AutoCap, shifted
from audiojourney.models.autocap.official import fill_network, htsat_state, our_name, sizes, translated
from audiojourney.models.autocap.search import Decoding, search
from audiojourney.models.autocap.sound import RATE_HZ, prepared
from audiojourney.models.autocap.start import freeze
from audiojourney.models.clap.keys import audio_tensors
from audiojourney.models.genau.state import fill, under


@pytest.fixture(scope="module")
def folder(shared_fixtures: Path) -> Path:
    return shared_fixtures / "autocap"


def close(found: Tensor, expected: Tensor, share: float = 1e-4) -> None:
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) <= share * float(expected.abs().max())


def test_front_end(folder: Path):
    given = load_file(folder / "frontend.safetensors")
    wave = given["in.wave_32k"]
    close(filterbank(HTSAT).T, given["const.mel_filterbank"], 1e-6)
    close(filterbank(CLAP).T, given["const.clap_mel_filterbank"], 1e-6)
    close(spectrum(wave, HTSAT)[:, None, :8], given["out.power_spectrogram_first8"])
    close(log_mel(wave, HTSAT)[:, None], given["out.logmel"], 1e-5)
    assert (log_mel(torch.zeros(1, 3200), HTSAT)[:, None] == given["out.logmel_silence"]).all()
    close(torch.from_numpy(prepared(wave[0].numpy(), RATE_HZ))[None], given["out.wave_processed_1s"], 1e-6)


def test_resampling_of_the_front_end(folder: Path):
    given = load_file(folder / "frontend.safetensors")
    stereo = [resample(row, 44_100, RATE_HZ, "sinc") for row in given["in.stereo_44k"].numpy()]
    close(torch.from_numpy(np.stack(stereo)), given["out.stereo_resampled_32k"])
    close(torch.from_numpy(prepared(stereo[0], RATE_HZ))[None], given["out.stereo_processed_1s"])
    for_clap = torch.from_numpy(resample(given["in.wave_32k"][0].numpy(), RATE_HZ, CLAP.rate_hz, "sinc"))[None]
    close(for_clap, given["out.wave_resampled_48k"])
    close(log_mel(for_clap, CLAP)[:, None], given["out.clap_logmel_48k"], 1e-5)


@torch.no_grad()
@pytest.mark.parametrize("case", ["full", "partial"])
def test_qformer(folder: Path, case: str):
    given = load_file(folder / "qformer.safetensors")
    settings = json.loads((folder / "qformer.json").read_text(encoding="utf-8"))
    config = QFormerConfig(width=32, layers=2, heads=4, inner=64, queries=16)
    qformer = networks._qformer(config, settings["encoder_width"]).eval()
    state = {our_name(f"audio_Qformer.{name}"): tensor for name, tensor in under(given, "sd.").items()}
    fill(qformer, under(state, "qformer."), "Q-Former")
    mask = given["in.mask_partial"] if case == "partial" else None
    out = qformer(
        query_embeds=given["in.query_tokens"].expand(2, -1, -1),
        encoder_hidden_states=given["in.encoder_hidden_states"],
        encoder_attention_mask=mask,
        output_hidden_states=True,
    )
    close(out.last_hidden_state, given[f"out.{case}.last_hidden_state"])


@torch.no_grad()
@pytest.mark.parametrize("case", ["short", "long"])
def test_htsat(folder: Path, case: str):
    given = load_file(folder / "htsat.safetensors")
    state = htsat_state(under(given, "sd."))
    encoder = Encoder(sizes_of(state)).eval()
    fill(encoder, under(state, "htsat."), "HTSAT", optional=("relative_position_index",))
    mel = given[f"in.{case}.logmel"][:, 0]
    if case == "short":
        close(log_mel(given["in.short.wave"], HTSAT), mel, 1e-5)
        grid = encoder.grid(mel)  # two bands of frequency, then time
        close(grid.flatten(2).transpose(1, 2), given["out.short.latent_64"])
    latents = encoder(mel)
    close(latents, given[f"out.{case}.latent_32"])
    close(latents.mean(1), given[f"out.{case}.embedding"])


def sizes_of(state: dict[str, Tensor]):
    found = official._htsat_sizes(under(state, "htsat.swin.audio_encoder."))
    assert (found.width, found.depths, found.heads, found.window) == (8, (2, 2, 2, 2), (1, 2, 4, 8), 8)
    return found


@pytest.fixture(scope="module")
def tiny(folder: Path) -> SimpleNamespace:
    """The tiny captioner, its inputs and its outputs."""
    given = load_file(folder / "captioner.safetensors")
    facts = json.loads((folder / "captioner.json").read_text(encoding="utf-8"))
    state = translated(under(given, "sd."))
    network = AutoCap(sizes(state, heads=4, qformer_heads=4, metadata_tokens=48)).eval()
    fill_network(network, state)
    labels = given["in.label_ids"].masked_fill(given["in.label_mask"] == 0, IGNORED)
    return SimpleNamespace(given=given, facts=facts, network=network, labels=labels)


def heard(tiny: SimpleNamespace, place: str, clap: bool = True, metadata: bool = True):
    """Run the tiny captioner up to its decoder."""
    network, given = tiny.network, tiny.given
    network.config = replace(network.config, clap_position=place)
    audio = network.hear(log_mel(given["in.audio"], HTSAT))
    ids, mask = (given[name] if metadata else given[name][:, :0] for name in ("out.meta_ids", "out.meta_mask"))
    return network.encode(audio, given["in.clap"] if clap else None, ids, mask)


@torch.no_grad()
def test_captioner_up_to_the_sequence(tiny: SimpleNamespace):
    network, given = tiny.network, tiny.given
    latents = network.htsat(log_mel(given["in.audio"], HTSAT))
    close(network.audio_in(latents), given["out.encoder_features"])
    audio = network.ask(network.audio_in(latents).repeat_interleave(REPEATS, 1))
    close(audio, given["out.audio_tokens"])
    close(network.read(given["out.meta_ids"]), given["out.meta_embeds"])
    close(network.clap_token(given["in.clap"])[:, 0], given["out.clap_token"])
    embeds, mask = network.sequence(audio, given["out.meta_ids"], given["out.meta_mask"])
    close(embeds, given["out.seq_without_clap"])
    assert torch.equal(mask, given["out.seq_without_clap_mask"])


@torch.no_grad()
@pytest.mark.parametrize(("place", "case"), [("encoder_input", "generate"), ("encoder_output", "train")])
def test_captioner_states_and_logits(tiny: SimpleNamespace, place: str, case: str):
    found, expected = heard(tiny, place), tiny.given[f"out.{case}.encoder_hidden"]
    assert torch.equal(found.mask, tiny.given["out.mask_with_clap"])
    real = found.mask.bool()
    close(found.states[real], expected[real])
    assert torch.equal(shifted(tiny.labels), tiny.given["out.decoder_input_ids"])
    spoken = tiny.labels != IGNORED  # what is said of padding matters to nobody
    close(tiny.network(found, shifted(tiny.labels))[spoken], tiny.given[f"out.{case}.logits"][spoken])


@torch.no_grad()
@pytest.mark.parametrize(
    ("arguments", "smoothing", "name"),
    [
        (("encoder_output",), 0.1, "official_forward (CLAP token after the BART encoder, label smoothing 0.1)"),
        (("encoder_output",), 0.0, "same without label smoothing"),
        (
            ("encoder_input",),
            0.1,
            "generate-path order (CLAP token before the BART encoder), label smoothing 0.1",
        ),
        (("encoder_input",), 0.0, "generate-path order, no label smoothing"),
        (("encoder_input", False), 0.1, "no CLAP token, label smoothing 0.1"),
        (("encoder_input", True, False), 0.1, "no metadata (CLAP before the encoder), label smoothing 0.1"),
    ],
)
def test_captioner_losses(tiny: SimpleNamespace, arguments: tuple, smoothing: float, name: str):
    loss = float(tiny.network.loss(heard(tiny, *arguments), tiny.labels, smoothing))
    assert loss == pytest.approx(tiny.facts["losses"][name], rel=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("beams", [1, 2, 3])
def test_captioner_beams_are_equal(tiny: SimpleNamespace, beams: int):
    found = search(tiny.network, heard(tiny, "encoder_input"), Decoding(beams=beams))
    expected = tiny.facts["generated_ids"][str(beams)]
    assert [list(best[0].tokens) for best in found] == expected
    assert tiny.given[f"out.generate.ids_beam{beams}"].tolist() == expected


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_captioner_trains_what_the_official_stages_train(tiny: SimpleNamespace, stage: str):
    expected = tiny.facts["stages"][stage]
    network = tiny.network
    freeze(network, bart=stage == "stage2", words=True, fc1=True)
    network.zero_grad(set_to_none=True)
    network.loss(heard(tiny, "encoder_output"), tiny.labels).backward()
    trained = {name: param for name, param in network.named_parameters() if param.requires_grad}
    wanted = {ours(name): norm for name, norm in expected["grad_norms"].items()}
    assert trained.keys() == wanted.keys() == {ours(name) for name in expected["trainable_official"]}
    largest = max(wanted.values())
    for name, norm in wanted.items():
        grad = trained[name].grad
        measured = 0.0 if grad is None else float(grad.norm())
        assert measured == pytest.approx(norm, rel=1e-3, abs=1e-5 * largest), name


def ours(name: str) -> str:
    """Return our name of an official parameter."""
    if name.startswith("encoder.audio_enc."):
        inner = name.removeprefix("encoder.audio_enc.")
        return "htsat.swin.audio_encoder." + next(iter(audio_tensors(inner, torch.zeros(3))))
    return our_name(name)
