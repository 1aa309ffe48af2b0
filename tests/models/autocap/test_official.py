"""Released checkpoints: every tensor finds its place, and files are opened by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from audiojourney.errors import MissingError, UsageError
from audiojourney.models.autocap.config import AutoCapConfig, BartSizes
from audiojourney.models.autocap.metadata import BartTokenizer
from audiojourney.models.autocap.model import open_autocap
from audiojourney.models.autocap.network import AutoCap
from audiojourney.models.autocap.official import TIED, fill_network, sizes, translated
from audiojourney.models.autocap.start import Start, freeze, load_start
from tests.models.autocap.tiny import CONFIG, official_state, tiny_network
from tests.models.official_layout import laion_state, save_tokenizer, tiny_clap


@pytest.fixture(scope="module")
def full() -> AutoCap:
    """The network in full size, without memory."""
    with torch.device("meta"):
        return AutoCap(AutoCapConfig())


def trained(network: AutoCap, **what: bool) -> int:
    freeze(network, **what)
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def test_every_official_tensor_finds_its_place(full: AutoCap, shared_fixtures: Path):
    told = json.loads((shared_fixtures / "autocap" / "official_state_dict.json").read_text(encoding="utf-8"))
    official = {name: torch.empty(shape, device="meta") for name, (shape, _) in told["tensors"].items()}
    assert len(official) == 793
    state = translated(official)
    derived = {name for name in full.state_dict() if name.endswith("relative_position_index")}
    tied = {f"bart.{name}" for name in TIED}
    assert state.keys() == full.state_dict().keys() - derived - tied
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == {
        name: tuple(full.state_dict()[name].shape) for name in state
    }
    assert sizes(state) == AutoCapConfig()


def test_what_each_stage_trains_in_full_size(full: AutoCap):
    assert trained(full, bart=False) == 6_780_672
    assert trained(full, bart=False, fc1=True) == 15_424_512
    assert trained(full, bart=True, fc1=True) == 116_241_408
    assert trained(full, bart=True, words=True, fc1=True) == 154_844_928
    assert trained(full, bart=True) == 116_241_408 - 8_643_840


def test_published_names_give_the_same_network():
    network = tiny_network()
    state = translated(official_state(network))
    assert sizes(state, metadata_tokens=CONFIG.metadata_tokens) == CONFIG
    rebuilt = AutoCap(CONFIG)
    fill_network(rebuilt, state)
    for name, tensor in network.state_dict().items():
        assert torch.equal(rebuilt.state_dict()[name], tensor), name
    assert rebuilt.bart.lm_head.weight is rebuilt.bart.model.shared.weight


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A published captioner: a Lightning file, CLAP and tokenizer beside it, GenAu's checkpoint in the same place."""
    torch.save({"state_dict": official_state(tiny_network()), "epoch": 3}, tmp_path / "autocap-full.ckpt")
    torch.save({"state_dict": {"other": torch.zeros(1)}}, tmp_path / "a-genau.ckpt")
    torch.save(laion_state(tiny_clap()), tmp_path / "music_speech_audioset_epoch_15_esc_89.98.pt")
    save_tokenizer(tmp_path / "bart-base", "<s>")
    return tmp_path


def narrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny BART has too few positions for metadata of the published length."""
    from audiojourney.models.autocap import model

    monkeypatch.setattr(model, "sizes", lambda state: sizes(state, metadata_tokens=40))


def test_a_published_folder_opens(folder: Path, monkeypatch: pytest.MonkeyPatch):
    narrowed(monkeypatch)
    model = open_autocap(folder)
    assert isinstance(model.tokenizer, BartTokenizer) and model.clap is not None
    expected = tiny_network().state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.network.state_dict().items())


def test_training_may_begin_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch):
    narrowed(monkeypatch)
    network = AutoCap(CONFIG)
    load_start(network, Start(captioner=str(folder)))
    assert torch.equal(network.queries, tiny_network().queries)
    assert network.bart.lm_head.weight is network.bart.model.shared.weight


def test_a_missing_checkpoint_is_told(folder: Path):
    with pytest.raises(MissingError, match="no tensors under 'audio_Qformer"):
        translated({"other": torch.zeros(1)})
    state = translated(official_state(tiny_network()))
    del state["audio_in.weight"]
    with pytest.raises(MissingError, match=r"lacks audio_in\.weight"):
        fill_network(AutoCap(CONFIG), state)
    with pytest.raises(MissingError, match=r"lacks .*shared"):
        sizes({name: tensor for name, tensor in state.items() if "shared" not in name})


def test_first_weights_from_bart_and_htsat(tmp_path: Path):
    source = tiny_network(seed=3)
    source.bart.save_pretrained(tmp_path / "bart")
    audio = {name.removeprefix("encoder.audio_enc."): t for name, t in official_state(source).items() if "enc." in name}
    audio = {f"sed_model.{name}": tensor for name, tensor in audio.items()}
    torch.save({"state_dict": audio}, tmp_path / "HTSAT.ckpt")
    network = AutoCap(CONFIG)
    load_start(network, Start(bart=str(tmp_path / "bart"), htsat=str(tmp_path / "HTSAT.ckpt")))
    words, table = source.bart.model.shared.weight, source.bart.model.encoder.embed_positions.weight
    assert torch.equal(network.bart.model.shared.weight, words)
    assert torch.equal(network.positions.weight[: len(table)], table)
    assert torch.equal(network.special.weight, torch.stack([words[0], words[2]] * 6))
    for name, tensor in source.htsat.state_dict().items():
        assert torch.equal(network.htsat.state_dict()[name], tensor), name
    assert float(network.queries.detach().std()) == pytest.approx(0.02, rel=0.2)


def test_first_weights_from_the_audio_encoder_of_a_clap(tmp_path: Path):
    source = tiny_network(seed=4)
    names = {f"audio_model.audio_encoder.{k}": v for k, v in source.htsat.swin.audio_encoder.state_dict().items()}
    save_file({**names, "logit_scale_a": torch.zeros(())}, tmp_path / "model.safetensors")
    network = AutoCap(CONFIG)
    load_start(network, Start(htsat=str(tmp_path)))
    assert torch.equal(network.htsat.swin.audio_encoder.norm.weight, source.htsat.swin.audio_encoder.norm.weight)


@pytest.mark.parametrize("name", ["./nothing", "nothing", "a/b/c"])
def test_first_weights_that_are_not_there(name: str):
    with pytest.raises(MissingError, match="There are no weights at"):
        load_start(AutoCap(CONFIG), Start(bart=name))


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="make up to 387"):
        AutoCapConfig(bart=BartSizes(positions=386))
    with pytest.raises(UsageError, match=r"model\.fields has 'tilte'"):
        AutoCapConfig(fields=("tilte",))
