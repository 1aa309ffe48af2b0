"""What is seen merged into what is heard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audiojourney.captions.base import Subject
from audiojourney.captions.chat import Reply, Turn
from audiojourney.captions.names import CaptionerOptions
from audiojourney.captions.prompts import INSTRUCTIONS, load_examples
from audiojourney.captions.sight import Sight
from audiojourney.captions.visual import VisualCaptioner, VisualSettings, build
from audiojourney.data import frames
from audiojourney.data.clip import Caption, Clip, Metadata
from audiojourney.errors import ClipError, UsageError
from tests.captions.stub import Scripted, asked_for

GREY = [np.full((4, 4, 3), shade, np.uint8) for shade in (10, 20, 30)]


class Pictures:
    """Names the shade of each picture."""

    def __init__(self):
        self.batches: list[int] = []

    def caption(self, pictures: list[np.ndarray]) -> list[str]:
        self.batches.append(len(pictures))
        return [f"a grey wall of shade {picture[0, 0, 0]}" for picture in pictures]


def speak(turn: Turn) -> str | Reply:
    """Answer each question in a way that shows what was asked."""
    asked = asked_for(turn.prompt)
    if turn.prompt.startswith(INSTRUCTIONS["frames"]):
        return f"A wall seen as {len(asked.split(' | '))} frames."
    if turn.prompt.startswith(INSTRUCTIONS["labels"]):
        return f"Sounds of {asked} are heard."
    if turn.prompt.startswith("on a scale"):
        return "0.25"
    visual, audio = asked.split(" | ")
    merged = f"{audio.rstrip('.')} before {visual.rstrip('.')} {turn.temperature}."
    return "Heard: <b>" if "refuse" in visual else merged


def captioner(**settings: object) -> VisualCaptioner:
    """Return a captioner whose models are doubles."""
    made = VisualSettings(**settings)
    return VisualCaptioner(Scripted(speak), Sight(Pictures, made.frames, made.videos), load_examples(), made)


@pytest.fixture(autouse=True)
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Replace decoding by three grey pictures; returns what was asked for."""
    asked: list[tuple] = []

    def frames_of(path: Path, fractions: tuple[float, ...], *part: float | None) -> list[np.ndarray]:
        asked.append((path.name, *fractions, *part))
        if path.suffix == ".wav":
            raise ClipError("no_video", "the file has no pictures.", path.name)
        return GREY if path.stem != "still" else [GREY[0]] * 3

    monkeypatch.setattr(frames, "frames_of", frames_of)
    return asked


def subject(name: str = "a.mp4", *labels: str, seed: int = 1, **fields: object) -> Subject:
    """Return a clip of a video."""
    return Subject(Clip(path=Path(name), id=name, labels=labels, **fields), None, seed)


def test_three_frames_become_one_caption_with_the_class(decoded: list[tuple]):
    made = captioner()
    (answer,) = made.caption([subject("a.mp4", "church_bell", offset_s=2.0, duration_s=10.0)], 1)
    assert decoded == [("a.mp4", 1 / 3, 1 / 2, 3 / 4, 2.0, 10.0)]
    (caption,) = answer.captions
    assert caption.text == "The sound of church bell before A wall seen as 3 frames 0.0."
    assert (caption.source, caption.kind, caption.entailment, caption.score) == ("visual:scripted", "llm", 0.25, None)
    record = json.loads(answer.raw)
    assert record["frames"] == [f"a grey wall of shade {shade}" for shade in (10, 20, 30)]
    assert (record["visual"], record["audio"]) == ("A wall seen as 3 frames.", "The sound of church bell")
    assert (record["entailment"], record["audio_visual"]) == ("0.25", [caption.text])
    assert made.sight._model.batches == [3]


def test_what_is_heard_comes_from_class_caption_or_labels():
    made = captioner(entailment="none")
    cases = [
        subject("a.mp4", "dog"),
        subject("b.mp4", "dog", "rain", captions=(Caption("A dog in the rain."),)),
        subject("c.mp4", "dog", "rain"),
    ]
    heard = [json.loads(answer.raw)["audio"] for answer in made.caption(cases, 1)]
    assert heard == ["The sound of dog", "A dog in the rain.", "Sounds of dog, rain are heard."]


def test_the_paper_merges_clips_with_one_label_only():
    made = captioner(merge="single", entailment="none")
    one, many = made.caption([subject("a.mp4", "dog"), subject("b.mp4", "dog", "rain")], 1)
    assert "before" in one.captions[0].text
    assert many.captions[0].text == "Sounds of dog, rain are heard."


def test_frames_that_look_the_same_need_no_model():
    made = captioner(entailment="none")
    (answer,) = made.caption([subject("still.mp4", "dog")], 1)
    assert json.loads(answer.raw)["visual"] == "a grey wall of shade 10"
    assert len(made.model.turns) == 1


def test_a_record_that_says_what_is_seen_needs_no_frames(decoded: list[tuple]):
    made = captioner()
    seen = Metadata(visual_caption="a yard with a dog")
    (answer,) = made.caption([subject("a.wav", "dog", metadata=seen)], 1)
    assert answer.captions[0].text.startswith("The sound of dog before a yard with a dog")
    assert decoded == []


def test_a_clip_that_fails_leaves_the_others_alone():
    made = captioner()
    cases = [subject("a.wav", "dog"), subject("b.mp4"), subject("c.mp4", "dog"), subject("d.mp4", "/m/1", "/m/2")]
    answers = made.caption(cases, 1)
    assert "no pictures" in answers[0].failure
    assert answers[1].failure == "the clip has no labels"
    assert answers[2].captions
    assert "is a code" in answers[3].failure
    assert answers[2] == captioner().caption([cases[2]], 1)[0]


def test_a_merge_that_fails_is_told():
    seen = Metadata(visual_caption="refuse")
    (answer,) = captioner().caption([subject("a.wav", "dog", metadata=seen)], 2)
    assert answer.captions == ()
    assert answer.failure == "no usable answer in 3 attempts: the last one holds markup"


def test_several_captions_differ():
    (answer,) = captioner().caption([subject("a.mp4", "dog")], 3)
    assert [caption.text[-4:] for caption in answer.captions] == ["0.0.", "0.8."]


def test_folders_of_frames_and_videos(tmp_path: Path, decoded: list[tuple], monkeypatch: pytest.MonkeyPatch):
    for number in range(8):
        (tmp_path / f"clip_{number}.jpg").touch()
    (tmp_path / "clip.webm").touch()
    taken: list[str] = []
    monkeypatch.setattr(frames, "picture", lambda path: (taken.append(path.name), GREY[0])[1])
    made = captioner(frames=tmp_path)
    found, absent = made.caption([subject("sounds/clip.wav", "dog"), subject("other.wav", "dog")], 1)
    assert taken == ["clip_2.jpg", "clip_4.jpg", "clip_6.jpg"]
    assert found.captions
    assert absent.failure == "there are no frames of 'other'"
    made = captioner(videos=tmp_path)
    found, absent = made.caption([subject("sounds/clip.wav", "dog"), subject("other.wav", "dog")], 1)
    assert decoded[-1][0] == "clip.webm"
    assert found.captions
    assert absent.failure == "there is no video of 'other'"


class Encoder:
    """Compares sentences by their length."""

    def similarity(self, sentences: list[str], others: list[str]) -> list[float]:
        return [len(one) / 1000 + len(other) / 100_000 for one, other in zip(sentences, others, strict=True)]


def test_an_encoder_compares_both_sides_where_asked():
    made = captioner()
    made.encoder = Encoder()
    (answer,) = made.caption([subject("a.mp4", "dog")], 1)
    assert json.loads(answer.raw)["similarity"] == round(24 / 1000 + 16 / 100_000, 4)


def test_unknown_settings_are_refused():
    with pytest.raises(UsageError, match=r"options.merges'.*Did you mean 'merge'"):
        build(CaptionerOptions(settings={"merges": "all"}))
    made = build(CaptionerOptions(endpoint="http://127.0.0.1:1/v1", model="m", settings={"entailment": "together"}))
    assert made.name == "visual:m"
