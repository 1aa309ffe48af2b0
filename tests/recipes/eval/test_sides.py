"""Partners by id, tag, name and order."""

from __future__ import annotations

import pytest

from audiojourney.data.clip import Caption, Clip
from audiojourney.data.write import save_audio
from audiojourney.recipes.eval.sides import is_model, partners, read_side, with_captions
from tests.recipes.eval.sets import RATE_HZ, wave, write_manifest, write_sounds


def clips(*ids, folder="x"):
    from pathlib import Path

    return [Clip(path=Path(folder) / name.rpartition("/")[2], id=name) for name in ids]


@pytest.mark.parametrize(
    ("ours", "theirs", "by"),
    [
        (("a.wav", "b.wav"), ("b.wav", "a.wav"), "id"),
        (("a.wav", "b.flac"), ("b.wav", "a.wav"), "id"),
        (("deep/a.wav", "b.wav"), ("b.wav", "deep/a.flac"), "id"),
        (("one/a.wav", "b.wav"), ("two/b.wav", "a.wav"), "name"),
    ],
)
def test_partners_are_found_by_what_fits_best(ours, theirs, by):
    generated, reference = clips(*ours), clips(*theirs)
    found = partners(generated, reference)
    assert (found.by, found.fault, found.lonely, found.missed) == (by, "", (), ())
    for place, other in found.places.items():
        assert generated[place].path.stem == reference[other].path.stem


def test_what_has_no_partner_is_named():
    found = partners(clips("a.wav", "b.wav", "c.wav"), clips("b.wav", "z.wav"))
    assert (found.places, found.lonely, found.missed) == ({1: 0}, ("a.wav", "c.wav"), ("z.wav",))
    assert "no id is on both sides" in partners(clips("a.wav"), clips("z.wav")).fault
    assert partners(clips("a.wav"), []).fault == "there is no reference"


def test_order_needs_equal_numbers():
    assert partners(clips("a", "b"), clips("y", "z"), "order").places == {0: 0, 1: 1}
    assert "2 generated and 1 reference" in partners(clips("a", "b"), clips("y"), "order").fault


def test_names_that_stand_twice_make_no_partners():
    found = partners(clips("one/a.wav", "two/a.wav"), clips("a.wav"), "name")
    assert not found.places and "1 names stand twice on the generated side: 'a'" in found.fault


def test_names_that_stand_twice_are_told_where_nothing_else_fits():
    found = partners(clips("one/a.wav", "two/a.wav"), clips("a.flac"))
    assert not found.places and "1 names stand twice on the generated side: 'a'" in found.fault
    assert partners(clips("a", "b"), clips("y", "z")).fault.startswith("no id is on both sides")


def test_tags_tell_ids_and_prompts(tmp_path):
    save_audio(tmp_path / "00000-rain-7.wav", wave(0), RATE_HZ, {"aj": 1, "id": "clip/7", "prompt": "rain"})
    generated, reference = read_side(str(tmp_path)), clips("clip/7", "clip/8")
    found = partners(generated, reference)
    assert (found.places, found.by) == ({0: 0}, "id")
    assert with_captions(generated, found, reference)[0].text == "rain"


def test_captions_come_from_partners_last(tmp_path):
    folder = write_sounds(tmp_path / "g", count=2)
    own = [Clip(path=clip.path, id=clip.id, captions=(Caption("own"),)) for clip in read_side(str(folder))[:1]]
    reference = [Clip(path=clip.path, id=clip.id, captions=(Caption(clip.id),)) for clip in read_side(str(folder))]
    mixed = [*own, read_side(str(folder))[1]]
    found = with_captions(mixed, partners(mixed, reference), reference)
    assert [clip.text for clip in found] == ["own", "c01.wav"]


def test_what_is_a_model(tmp_path):
    folder = write_manifest(write_sounds(tmp_path / "data", count=1))
    run = tmp_path / "run" / "final"
    run.mkdir(parents=True)
    (run / "config.yaml").touch()
    assert [is_model(name) for name in (str(folder), str(run), str(run.parent), "pocket/generator")] == [
        False,
        True,
        True,
        True,
    ]
    assert not is_model("no/such.jsonl") and not is_model("./nothing") and not is_model("nothing/")
