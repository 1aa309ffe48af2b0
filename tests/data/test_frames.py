"""Pictures that belong to a sound."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from audiojourney.data.frames import PICTURES, at, frames_of, picture, pictures_beside, video_beside
from audiojourney.errors import ClipError, MissingError


def test_files_at_fractions():
    paths = [Path(str(number)) for number in range(9)]
    assert [path.name for path in at((0, 1 / 3, 1 / 2, 3 / 4, 1), paths)] == ["0", "3", "4", "6", "8"]
    assert at((1 / 3, 1 / 2, 3 / 4), paths[:1]) == paths[:1] * 3


def test_pictures_of_a_clip_are_not_those_of_its_neighbours(tmp_path: Path):
    for name in ("dog_2.jpg", "dog_10.jpg", "dog-1.PNG", "dog.webp", "dogs_1.jpg", "dog_1.txt"):
        (tmp_path / name).touch()
    found = [path.name for path in pictures_beside(tmp_path, "dog")]
    assert found == ["dog-1.PNG", "dog.webp", "dog_10.jpg", "dog_2.jpg"]
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "b.jpg").touch()
    (tmp_path / "dog" / "a.jpg").touch()
    assert [path.name for path in pictures_beside(tmp_path, "dog")] == ["a.jpg", "b.jpg"]
    assert pictures_beside(tmp_path / "absent", "dog") == []
    assert all(suffix.startswith(".") for suffix in PICTURES)


def test_a_video_lies_beside_under_any_suffix(tmp_path: Path):
    assert video_beside(tmp_path, "dog") is None
    (tmp_path / "dog.webm").touch()
    assert video_beside(tmp_path, "dog") == tmp_path / "dog.webm"


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingError, match=r"audiojourney\[av\]"):
        frames_of(tmp_path / "a.mp4", (0.5,))


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A video of four seconds, ten frames a second, each frame ten times its number in red."""
    av = pytest.importorskip("av")
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for number in range(40):
            shade = np.zeros((32, 64, 3), np.uint8)
            shade[..., 0] = 6 * number
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode())
    return path


def reds(found: list[np.ndarray]) -> list[int]:
    """Return the number of each frame, by its colour."""
    return [round(float(one[..., 0].mean()) / 6) for one in found]


def test_frames_are_taken_at_their_places(video: Path):
    found = frames_of(video, (0.0, 1 / 3, 1 / 2, 3 / 4, 1.0))
    assert {one.shape for one in found} == {(32, 64, 3)}
    assert found[0].dtype == np.uint8
    assert reds(found) == pytest.approx([0, 13, 20, 30, 39], abs=1)
    assert reds(frames_of(video, (0.5,), 1.0, 2.0)) == pytest.approx([20], abs=1)


def test_pictures_are_read(tmp_path: Path):
    av = pytest.importorskip("av")
    path = tmp_path / "a.png"
    shade = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = 8, 8, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode())
    assert np.array_equal(picture(path), shade)


def test_what_has_no_pictures_is_told(tmp_path: Path):
    pytest.importorskip("av")
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.zeros(800), 8000)
    with pytest.raises(ClipError, match="no pictures"):
        frames_of(tmp_path / "a.wav", (0.5,))
    (tmp_path / "b.mp4").write_bytes(b"nothing" * 99)
    with pytest.raises(ClipError, match="cannot be decoded"):
        frames_of(tmp_path / "b.mp4", (0.5,))
