from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.recipes.study.answers import AnswersError, read_answers
from audiojourney.recipes.study.build import run
from audiojourney.recipes.study.config import CRITERIA, StudyConfig
from audiojourney.recipes.study.score import ScoreConfig, score
from audiojourney.recipes.study.seal import seal, unseal
from tests.recipes.study_doubles import answered, data_of, save, tones

PROMPTS = [f"prompt {number}" for number in range(12)]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    for name in ("zulu", "alpha"):
        tones(folder / name, PROMPTS, duration_s=0.05)
    run(StudyConfig(folders=(folder / "zulu", folder / "alpha"), output=folder / "study.html"))
    return folder / "study.html"


def prefers(page: Path, system: str, but: tuple[int, ...] = (), ties: tuple[int, ...] = ()):
    """Choose a system wherever it is, the other one in some trials and neither in others."""
    study = data_of(page)

    def choose(number, criterion):
        left = unseal(study["trials"][number]["sealed"][0], study["study"]).endswith(system)
        return "tie" if number in ties else "left" if left != (number in but) else "right"

    return choose


def test_votes_are_counted_for_the_system_not_for_the_side(page, tmp_path):
    one = save(tmp_path, "1.json", answered(page, "Anna", prefers(page, "zulu", but=(0, 1), ties=(5,))))
    two = save(tmp_path, "2.json", answered(page, "Bob", prefers(page, "zulu")))
    found = score(ScoreConfig(files=(one, two)))
    assert [entry.criterion for entry in found.comparisons] == list(CRITERIA)
    assert found.listeners == ("Anna", "Bob")
    for entry in found.comparisons:
        assert (entry.first, entry.second) == ("zulu", "alpha"), "in the order of the folders"
        assert (entry.share.wins, entry.share.ties, entry.share.losses) == (21, 1, 2)
        assert entry.share.rate == pytest.approx(21 / 23)
        assert entry.share.wilson.low < 21 / 23 < entry.share.wilson.high
        assert entry.share.by_clip.low <= 21 / 23 <= entry.share.by_clip.high
        assert (entry.clips, entry.listeners) == (12, 2)
        assert entry.alpha is not None and entry.alpha < 1


def test_the_left_side_is_watched(page, tmp_path):
    path = save(tmp_path, "1.json", answered(page, "Anna", lambda number, criterion: "left"))
    found = score(ScoreConfig(files=(path,)))
    assert found.left.rate == 1
    assert found.comparisons[0].share.rate == 0.5, "sides are balanced"
    assert found.comparisons[0].alpha is None
    assert "two listeners" in found.comparisons[0].alpha_reason


def test_listeners_who_agree_and_who_do_not(page, tmp_path):
    mixed = prefers(page, "zulu", but=(0, 3, 5, 7, 9, 11))
    files = tuple(save(tmp_path, f"{n}.json", answered(page, f"L{n}", mixed)) for n in range(3))
    assert {entry.alpha for entry in score(ScoreConfig(files=files)).comparisons} == {1.0}
    random = np.random.default_rng(0)
    files = tuple(
        save(tmp_path, f"{n}.json", answered(page, f"L{n}", lambda *_: str(random.choice(["left", "right", "tie"]))))
        for n in range(30)
    )
    assert all(abs(entry.alpha) < 0.1 for entry in score(ScoreConfig(files=files)).comparisons)
    same = tuple(save(tmp_path, f"{n}.json", answered(page, f"L{n}", prefers(page, "zulu"))) for n in range(2))
    assert "all votes are the same" in score(ScoreConfig(files=same)).comparisons[0].alpha_reason


def test_ties_alone_have_no_rate(page, tmp_path):
    found = score(ScoreConfig(files=(save(tmp_path, "1.json", answered(page, "A", lambda *_: "tie")),)))
    share = found.comparisons[0].share
    assert (share.rate, share.wilson, share.by_clip, share.ties) == (None, None, None, 12)
    assert "not 0" in share.reason


def test_few_clips_have_no_interval_over_clips(page, tmp_path):
    table = answered(page, "A", prefers(page, "zulu"))
    table["answers"] = table["answers"][:9]
    table["complete"] = False
    found = score(ScoreConfig(files=(save(tmp_path, "1.json", table),)))
    assert found.comparisons[0].share.by_clip is None
    assert "not 9" in found.comparisons[0].share.reason
    assert found.incomplete == (str(tmp_path / "1.json"),)


@pytest.mark.parametrize(
    ("name", "session"), [(" ANNA  smith", "another"), ("Bob", "Anna SmithAnna Smith")], ids=["name", "session"]
)
def test_a_listener_counts_once(page, tmp_path, name, session):
    early = answered(page, "Anna Smith", prefers(page, "alpha"), complete=False)
    early["answers"] = early["answers"][:3]
    late = answered(page, name, prefers(page, "zulu"), session=session)
    files = (save(tmp_path, "early.json", early), save(tmp_path, "late.json", late))
    for order in (files, files[::-1]):
        found = score(ScoreConfig(files=order))
        assert found.repeated == ((str(files[0]), str(files[1])),)
        assert len(found.listeners) == 1
        assert found.comparisons[0].share.wins == 12
    assert score(ScoreConfig(files=(files[1], files[1]))).repeated == ()


MALFORMED = ("list", "no study", "version", "no listener", "no answers", "no table", "no item", "question", "side")
MALFORMED += ("votes", "unsealed", "no system", "itself", "twice")


def broken(page: Path) -> dict[str, object]:
    good = answered(page, "A", lambda *_: "tie")

    def changed(**values):
        return good | {"answers": [good["answers"][0] | values, *good["answers"][1:]]}

    return {
        "list": [],
        "no study": {"answers": []},
        "version": good | {"aj_study": 99},
        "no listener": good | {"listener": " "},
        "no answers": good | {"answers": {}},
        "no table": good | {"answers": [3]},
        "no item": changed(item=None),
        "question": changed(votes={"beauty": "left"}),
        "side": changed(votes={"overall": "both"}),
        "votes": changed(votes=[]),
        "unsealed": changed(left="zulu"),
        "no system": changed(left=seal("zulu", good["study"])),
        "itself": changed(left=good["answers"][0]["right"]),
        "twice": good | {"answers": [*good["answers"], good["answers"][0]]},
    }


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_answers_are_named_and_the_others_counted(page, tmp_path, what):
    bad = save(tmp_path, "bad.json", broken(page)[what])
    with pytest.raises(AnswersError):
        read_answers(bad)
    good = save(tmp_path, "good.json", answered(page, "Anna", prefers(page, "zulu")))
    found = score(ScoreConfig(files=(bad, good)))
    assert [path for path, _ in found.bad] == [str(bad)]
    assert found.comparisons[0].share.wins == 12
    with pytest.raises(AudioJourneyError, match=r"bad\.json"):
        score(ScoreConfig(files=(bad,)))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, None])
def test_files_that_are_no_json(tmp_path, content):
    path = tmp_path / "answers.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AnswersError, match=r"JSON|read"):
        read_answers(path)


def test_files_of_two_studies_are_not_mixed(page, tmp_path):
    other = answered(page, "Bob", lambda *_: "tie", study="other", answers=[])
    files = (save(tmp_path, "1.json", answered(page, "A", lambda *_: "tie")), save(tmp_path, "2.json", other))
    with pytest.raises(UsageError, match="2 studies"):
        score(ScoreConfig(files=files))
    with pytest.raises(UsageError, match="No file"):
        score(ScoreConfig())
