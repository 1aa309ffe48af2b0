"""Language models of the Hub, tiny and random."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

from audiojourney.captions.base import Subject
from audiojourney.captions.chat import ChatSettings, Turn, open_chat
from audiojourney.captions.instruct import HubChat
from audiojourney.captions.labels import build
from audiojourney.captions.names import CaptionerOptions
from audiojourney.data.clip import Clip
from audiojourney.errors import MissingError, UsageError
from audiojourney.models import instruct
from tests.models.official_layout import save_tokenizer

FORM = "{% for message in messages %}<s>user: {{ message.content }}</s>{% endfor %}bot: "
SIZES = {"vocab_size": 300, "pad_token_id": 1, "eos_token_id": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "tiny-llama"
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, bos_token_id=0, **SIZES
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight *= 20
    model.generation_config.update(do_sample=True, temperature=0.6, top_p=0.9)
    model.save_pretrained(folder)
    save_tokenizer(folder, None)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": FORM}), encoding="utf-8")
    return folder


def chat(folder: Path, **settings: int) -> HubChat:
    """Return the tiny model on the CPU."""
    return HubChat(str(folder), "cpu", "fp32", ChatSettings(max_tokens=12, **settings))


TURNS = [Turn("rain", 1), Turn("a dog barks", 2, 1.5), Turn("rain", 3, 1.5), Turn("wind", 4)]


def test_answers_depend_on_prompt_and_seed_alone(folder: Path):
    alone = [chat(folder).complete([turn])[0].text for turn in TURNS]
    assert [reply.text for reply in chat(folder, batch=1).complete(TURNS)] == alone
    assert [reply.text for reply in chat(folder, batch=4).complete(TURNS)] == alone
    assert chat(folder).complete([Turn("rain", 99)])[0].text == alone[0]
    assert chat(folder).complete([Turn("a dog barks", 3, 1.5)])[0].text != alone[1]


def test_the_form_of_conversations_is_the_models_own(folder: Path, tmp_path: Path):
    model = chat(folder)
    assert model._model._form("rain") == "<s>user: rain</s>bot: "
    assert model.name == "tiny-llama"
    plain = save_tokenizer(tmp_path, None)
    LlamaForCausalLM.from_pretrained(folder).save_pretrained(plain)
    assert chat(plain)._model._form("rain") == "### Instruction:\nrain\n\n### Response:\n"


def test_models_with_encoder_and_decoder_answer_too(tmp_path: Path):
    config = T5Config(d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=1, **SIZES)
    T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    save_tokenizer(tmp_path, None)
    assert isinstance(chat(tmp_path).complete([Turn("rain", 1)])[0].text, str)


def test_a_model_of_the_hub_is_named_with_its_revision(folder: Path, monkeypatch: pytest.MonkeyPatch):
    assert instruct.revision(Path("/x/snapshots/0123456789abcdef")) == "0123456789ab"
    monkeypatch.setattr(instruct, "revision", lambda folder: "0123456789ab")
    assert chat(folder).name == "tiny-llama@0123456789ab"


def test_the_labels_captioner_runs_on_it(folder: Path):
    settings = {"chat": {"attempts": 2, "max_tokens": 8}}
    made = build(CaptionerOptions(model=str(folder), device="cpu", settings=settings))
    clip = Clip(path=Path("a.wav"), id="a", labels=("rain", "dog"))
    (answer,) = made.caption([Subject(clip, None, 1)], 1)
    assert bool(answer.captions) != bool(answer.failure)
    assert made.name == "labels:tiny-llama"


def test_what_cannot_be_opened_is_told(folder: Path, tmp_path: Path):
    with pytest.raises(MissingError, match="not on this machine"):
        open_chat(CaptionerOptions(), ChatSettings())
    with pytest.raises(MissingError, match="holds no"):
        (tmp_path / "config.json").write_text("{}", encoding="utf-8")
        chat(tmp_path)
    with pytest.raises(UsageError, match="no precision 'int8'"):
        HubChat(str(folder), "cpu", "int8", ChatSettings())
