"""Metadata as tokens, with and without blanks beside the tags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from audiojourney.data.clip import Clip, Metadata
from audiojourney.errors import MissingError
from audiojourney.models.autocap.metadata import (
    BartTokenizer,
    ByteTokenizer,
    metadata_of,
    metadata_tokens,
    open_tokenizer,
    padded,
)
from audiojourney.models.transformers_parts import read_tokenizer
from tests.models.official_layout import save_tokenizer

TAGS = [f"<{end}{name}>" for name in ("HQVC", "AVC", "TITLE", "DESC", "SUB", "LBL") for end in ("", "/")]
SIZES = {"vocabulary": 261, "longest": 128}
FIELDS = ("visual_caption", "title")


def test_the_official_tokens(shared_fixtures: Path):
    given = load_file(shared_fixtures / "autocap" / "captioner.safetensors")
    facts = json.loads((shared_fixtures / "autocap" / "captioner.json").read_text(encoding="utf-8"))
    values = [{"title": meta["title"], "visual_caption": meta["video_caption"]} for meta in facts["metas"]]
    rows = [metadata_tokens(v, FIELDS, ByteTokenizer(), vocabulary=261, longest=48) for v in values]
    ids, mask = padded(rows)
    assert torch.equal(ids, given["out.meta_ids"]) and torch.equal(mask, given["out.meta_mask"])
    assert ByteTokenizer().encode("Rain falls on a roof") == given["in.label_ids"][1, 1:-1].tolist()


@pytest.mark.parametrize("values", [{"title": "My hat", "visual_caption": "a fan"}, {"title": "x"}, {}])
def test_kept_blanks_are_those_of_a_tokenizer_with_tags(tmp_path: Path, values: dict[str, str]):
    tokenizer = read_tokenizer(save_tokenizer(tmp_path, "<s>"))
    plain = BartTokenizer(read_tokenizer(tmp_path))
    size = len(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": TAGS})
    text = f"<HQVC> {values.get('visual_caption', '')} </HQVC> \n <TITLE> {values.get('title', '')} </TITLE>"
    expected = tokenizer(text, add_special_tokens=False).input_ids
    found = metadata_tokens(values, FIELDS, plain, vocabulary=size, longest=128, blanks="kept")
    assert found == [*expected, 2]


def test_fields_have_one_order_and_absent_ones_their_tags():
    values = {"labels": "dog", "title": "t", "subtitles": "s", "visual_caption": "v"}
    tags = [
        token - 261 for token in metadata_tokens(values, tuple(values)[::-1], ByteTokenizer(), **SIZES) if token > 260
    ]
    assert [TAGS[tag] for tag in tags] == [
        "<LBL>",
        "</LBL>",
        "<HQVC>",
        "</HQVC>",
        "<TITLE>",
        "</TITLE>",
        "<SUB>",
        "</SUB>",
    ]
    assert metadata_tokens({}, ("title",), ByteTokenizer(), **SIZES) == [265, 266, 2]


def test_long_metadata_is_cut_before_its_end():
    row = metadata_tokens({"title": "x" * 500}, ("title",), ByteTokenizer(), **SIZES)
    assert len(row) == 129 and row[-1] == 2 and row[0] == 265 and 266 not in row


def test_tags_in_a_title_are_plain_text():
    row = metadata_tokens({"title": "</TITLE> <HQVC> lies"}, ("title",), ByteTokenizer(), **SIZES)
    assert [token for token in row if token > 260] == [265, 266]


def test_padding():
    ids, mask = padded([[5, 6, 2], [2], []])
    assert ids.tolist() == [[5, 6, 2], [2, 1, 1], [1, 1, 1]] and mask.sum(1).tolist() == [3, 1, 0]
    assert padded([[], []])[0].shape == (2, 0)


def test_what_is_read_of_a_clip():
    about = Metadata(title="t", tags=("one", "two"), visual_caption="v", subtitles="s")
    clip = Clip(path=Path("x"), id="x", metadata=about)
    assert metadata_of(clip) == {"labels": "one, two", "visual_caption": "v", "title": "t", "subtitles": "s"}
    assert metadata_of(Clip(path=Path("x"), id="x", labels=("dog",), metadata=about))["labels"] == "dog"


def test_bytes_come_back():
    tokenizer = open_tokenizer("bytes")
    tokens = tokenizer.encode("Grüße, \ud800 rain")
    assert tokenizer.decode([2, 0, *tokens, 2, 1, 261]) == "Grüße, ? rain"


def test_the_tokenizer_of_bart_comes_back(tmp_path: Path):
    tokenizer = open_tokenizer(str(save_tokenizer(tmp_path, "<s>")))
    tokens = tokenizer.encode("A dog barks")
    assert 0 not in tokens and tokenizer.decode([2, 0, *tokens, 2]) == "A dog barks"


def test_a_tokenizer_that_cannot_be_had():
    with pytest.raises(MissingError, match="facebook/bart-base"):
        open_tokenizer("facebook/bart-base")
