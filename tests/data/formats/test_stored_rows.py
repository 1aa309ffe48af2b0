from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.data.clip import CAPTION_KINDS, Caption, Clip, Event, Metadata
from audiojourney.data.formats.stable_rows import from_stable, to_stable
from audiojourney.data.formats.stored import filed, key_of, placed, stored
from audiojourney.data.rows import to_clip, to_row
from audiojourney.errors import ClipError
from tests.data.formats.published import RATE_HZ, put_sound

words = st.text(max_size=6)
names = st.tuples(words) | st.just(())
times = st.none() | st.floats(0, 1e6)
captions = st.builds(
    lambda text, source, kind, score: Caption(text, source, kind, score, "" if score is None else "clap"),
    words.filter(bool),
    words,
    st.sampled_from(CAPTION_KINDS),
    st.none() | st.floats(-1, 1),
)
events = st.builds(Event, words.filter(bool), st.floats(0, 9), st.floats(0, 9))
clips = st.builds(
    Clip,
    path=st.just(Path("sound")),
    id=words.filter(bool),
    dataset=words,
    split=words,
    fold=st.none() | st.integers(0, 9),
    start_s=times,
    end_s=times,
    labels=names,
    captions=st.lists(captions, max_size=2, unique_by=lambda caption: caption.text).map(tuple),
    events=st.lists(events, max_size=2).map(tuple),
    metadata=st.builds(Metadata, title=words, tags=names.filter(lambda tags: "" not in tags), subtitles=words),
    licence=words,
    extra=st.dictionaries(words.map("x_{}".format), st.integers(0, 9) | words, max_size=2),
)
MEASURES = {"duration_s": 1.5, "rate_hz": 8000, "channels": 1, "sha256": "f" * 64}


@given(clips)
def test_rows_of_stable_types_give_the_clip_back(clip):
    row = to_row(clip, Path())
    stable = json.loads(json.dumps(to_stable(row, **MEASURES)))
    back = to_clip({**from_stable(stable), "file_name": "sound"}, Path())
    measured = to_clip({**row, "duration": 1.5, "sha256": "f" * 64}, Path())
    assert back == measured


@given(clips, clips)
def test_every_row_has_the_same_columns_of_the_same_types(one, other):
    def shape(clip: Clip) -> dict:
        stable = to_stable(to_row(clip, Path()), **MEASURES)
        return {key: type(value) for key, value in stable.items()}

    assert shape(one) == shape(other)
    for caption in to_stable(to_row(one, Path()), **MEASURES)["captions"]:
        assert {key: type(value) for key, value in caption.items()} == {
            "text": str,
            "source": str,
            "kind": str,
            "score_name": str,
            "score": float,
        }


def test_what_is_beside_the_columns_has_to_be_an_object():
    with pytest.raises(ValueError, match="object"):
        from_stable({"more": "[1]"})


def test_whole_files_keep_their_bytes_and_are_named_by_what_they_are(tmp_path):
    path = put_sound(tmp_path / "a.flac").rename(tmp_path / "a.wav")
    sound = stored(Clip(path=path, id="a"))
    assert sound.data == path.read_bytes()
    assert (sound.suffix, sound.rate_hz, sound.channels, sound.duration_s) == ("flac", RATE_HZ, 1, 0.1)


def test_parts_are_cut(tmp_path):
    path = put_sound(tmp_path / "a.wav", seconds=2)
    clip = Clip(path=path, id="a", offset_s=0.5, duration_s=0.25)
    sound = stored(clip)
    assert (sound.suffix, sound.duration_s) == ("flac", 0.25)
    (tmp_path / "b.flac").write_bytes(sound.data)
    cut, _ = soundfile.read(tmp_path / "b.flac")
    whole, _ = soundfile.read(path)
    assert cut == pytest.approx(whole[4000:6000], abs=1e-4)
    record = placed(clip, sound, tmp_path / "b.flac")
    assert (record.offset_s, record.duration_s, record.sha256) == (None, 0.25, sound.sha256)


@pytest.mark.parametrize(("encoding", "rate_hz"), [("wav", None), ("flac", 4000), ("ogg", 16000)])
def test_sounds_can_be_encoded_anew(tmp_path, encoding, rate_hz):
    sound = stored(Clip(path=put_sound(tmp_path / "a.flac"), id="a"), encoding, rate_hz)
    assert (sound.suffix, sound.rate_hz) == (encoding, rate_hz or RATE_HZ)
    assert sound.duration_s == pytest.approx(0.1)


def test_a_cut_file_is_not_stored(tmp_path):
    path = put_sound(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ClipError, match="promises"):
        stored(Clip(path=path, id="a"))


@given(st.lists(st.text(st.characters()), unique=True, max_size=5))
def test_keys_are_names_that_every_file_system_holds(ids):
    keys = [key_of(id) for id in ids]
    assert len(set(keys)) == len(ids)
    assert all(len(key) == 16 and set(key) <= set("0123456789abcdef") for key in keys)


def test_sounds_are_filed_by_the_beginning_of_their_key(tmp_path):
    path = filed(tmp_path, Clip(path=Path("x"), id="../../evil"), "wav")
    assert path.parent.parent == tmp_path
    assert path.name.startswith(path.parent.name)
