"""The pages as a browser shows them: what they ask for, what they do, how they look."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from audiojourney.data.write import save_audio
from audiojourney.recipes.eval.result import EvalResult, FileRow, MetricRow
from audiojourney.recipes.eval_report import ReportConfig, write_report
from audiojourney.recipes.study.build import run
from audiojourney.recipes.study.config import CRITERIA, StudyConfig
from audiojourney.recipes.study.score import ScoreConfig, score
from tests.recipes import chromium
from tests.recipes.study_doubles import tones

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.PROGRAM is None, reason=f"none of {', '.join(chromium.NAMES)} is installed"),
]
EVIL = "<img src=x onerror=alert(1)>"
PROMPTS = (EVIL, "a long prompt " * 12, "wind", "unbreakable" * 20)
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    browser = chromium.Chromium(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    tones(folder / "made", PROMPTS)
    scores = (0.4, 0.1, 0.3, None)
    rows = tuple(
        FileRow(
            id=prompt if number == 0 else f"{number:03d}.wav",
            generated=str(folder / "made" / f"{number:03d}.wav"),
            caption=prompt,
            label=f"label {number % 2}",
            scores={"clap_pocket": scores[number]},
        )
        for number, prompt in enumerate(PROMPTS)
    )
    metrics = (MetricRow(name="clap_pocket", value=0.27, n=(3,), better="higher"), MetricRow(name=EVIL, reason=EVIL))
    result = EvalResult(metrics=metrics, files=rows, warnings=(EVIL,), generated=EVIL, settings={EVIL: EVIL})
    write_report(result, folder / "report.html", ReportConfig(extremes=1))
    return folder / "report.html"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    for name in ("secretone", "secrettwo"):
        tones(folder / name, PROMPTS, gain=0.1 if name == "secretone" else 0.12)
    run(StudyConfig(folders=(folder / "secretone", folder / "secrettwo"), output=folder / "study.html", title=EVIL))
    return folder / "study.html"


def begin(tab, study: Path, listener: str) -> None:
    tab.run("localStorage.clear()")
    tab.open(study)
    tab.run(f"document.getElementById('listener').value = {json.dumps(listener)}")
    tab.run("document.getElementById('begin').click()")
    tab.until("!document.getElementById('trial').hidden")


def hear(tab) -> None:
    """Play both sounds by their keys."""
    for key, side in (("a", "left"), ("b", "right")):
        tab.press(key)
        tab.until(f"document.getElementById('panel-{side}').classList.contains('heard')")


def text(tab, selector: str) -> str:
    return tab.run(f"document.querySelector({json.dumps(selector)}).innerText")


def captions(tab) -> list[str]:
    return tab.run("[...document.querySelectorAll('.card:not([hidden]) h3')].map((entry) => entry.textContent)")


@pytest.mark.parametrize("name", ["report", "study"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 400), ("light", 400), ("dark", 320)])
def test_pages_ask_for_nothing_run_nothing_and_fit(tab, request, tmp_path, name, scheme, width):
    page = request.getfixturevalue(name)
    tab.look(scheme, width)
    tab.open(page)
    assert tab.run(FITS), "it scrolls sideways"
    if name == "study":
        begin(tab, page, EVIL)
        for _ in PROMPTS[1:]:
            hear(tab)
            assert tab.run(FITS), "it scrolls sideways"
            assert "secret" not in tab.run("document.body.innerText")
            for _ in CRITERIA:
                tab.press("1")
            tab.press("n")
    assert tab.requests == [page.as_uri()] * len(tab.requests)
    assert tab.faults == []
    assert tab.run("document.querySelectorAll('img[src=x]').length") == 0
    assert EVIL in tab.run("document.body.textContent")
    shade = tab.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(shade) > 600) == (scheme == "light")


def test_every_sound_and_picture_of_a_report_is_played_and_shown(tab, report):
    tab.open(report)
    assert tab.run("[...document.images].every((image) => image.naturalWidth > 0)")
    sounds = "[...document.querySelectorAll('audio')]"
    assert tab.run(f"{sounds}.length") == 4
    tab.run(f"{sounds}.forEach((sound) => {{ sound.preload = 'auto'; sound.load(); }})")
    tab.until(f"{sounds}.every((sound) => Math.abs(sound.duration - 0.3) < 0.01)")


def test_a_report_sorts_and_filters(tab, report):
    tab.open(report)

    def choose(selector, value):
        tab.run(f"field = document.querySelector('{selector}'); field.value = {json.dumps(value)}")
        tab.run("field.dispatchEvent(new Event('input')); field.dispatchEvent(new Event('change'))")

    choose("[data-sorts=samples]", "-s0")
    assert captions(tab) == [EVIL, "wind", PROMPTS[1], PROMPTS[3]], "no value comes last"
    choose("[data-sorts=samples]", "s0")
    assert captions(tab) == [PROMPTS[1], "wind", EVIL, PROMPTS[3]], "also upwards"
    choose("[data-filters=samples]", "WIND")
    assert captions(tab) == ["wind"]
    assert text(tab, "[data-count=samples]") == "1 of 4 samples"
    choose("[data-filters=samples]", "")
    choose("[data-labels=samples]", "label 1")
    assert set(captions(tab)) == {PROMPTS[1], PROMPTS[3]}
    column = "[...document.querySelectorAll('#files tbody tr')].map((row) => row.cells[3].textContent)"
    heading = "document.querySelectorAll('#files th')[3]"
    tab.run(f"{heading}.querySelector('button').click()")
    assert tab.run(column) == ["0.4", "0.3", "0.1", "–"]
    assert tab.run(f"{heading}.getAttribute('aria-sort')") == "descending"
    tab.run(f"{heading}.querySelector('button').click()")
    assert tab.run(column) == ["0.1", "0.3", "0.4", "–"]


def test_the_best_is_played_from_its_list(tab, report):
    tab.open(report)
    assert [text(tab, f".end:nth-child({side}) li a") for side in (1, 2)] == [EVIL, PROMPTS[1].strip()]
    tab.run("document.querySelector('.end button').click()")
    tab.until("document.getElementById('sample-0-generated').currentTime > 0")


def test_focus_is_seen(tab, study):
    tab.look("light", 400)
    tab.open(study)
    tab.press("Tab")
    assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert tab.run("document.activeElement.id") == "listener"


def test_a_study_is_answered_by_keys_kept_resumed_and_scored(tab, study, tmp_path):
    tab.look("light", 1100)
    begin(tab, study, "Anna")
    assert tab.run("document.querySelectorAll('fieldset:disabled').length") == 4, "listen first"
    tab.press("1")
    assert tab.run("document.querySelectorAll('input:checked').length") == 0
    for key in ("1", "2", "3", "1"):
        hear(tab)
        tab.press(key)
    tab.press("n")
    assert text(tab, "#number") == "Pair 2 of 4"
    assert text(tab, "#done") == "1 of 4 answered"
    tab.press("n")
    assert text(tab, "#number") == "Pair 2 of 4", "what is not answered is not passed"
    tab.press("p")
    votes = "[...document.querySelectorAll('input:checked')].map((field) => field.value)"
    assert tab.run(votes) == ["left", "tie", "right", "left"]
    tab.open(study)
    assert (text(tab, "#begin"), tab.run("document.getElementById('listener').value")) == ("Continue", "Anna")
    tab.run("document.getElementById('begin').click()")
    assert text(tab, "#number") == "Pair 2 of 4"
    for _ in range(3):
        hear(tab)
        for _ in CRITERIA:
            tab.press("1")
        tab.press("Enter")
    assert not tab.run("document.getElementById('end').hidden")
    tab.run("document.querySelector('#end button.save').click()")
    path = downloaded(tab, "answers-anna-*.json")
    found = score(ScoreConfig(files=(path,)))
    assert (found.listeners, found.incomplete) == (("Anna",), ())
    assert {entry.criterion for entry in found.comparisons} == set(CRITERIA)
    assert (found.left.wins, found.left.ties, found.left.losses) == (14, 1, 1)
    restored(tab, study, path)


def restored(tab, study: Path, path: Path) -> None:
    """A file of answers is gone on from in another browser; one of another study is refused."""
    tab.run("localStorage.clear()")
    tab.open(study)
    other = path.with_name("other.json")
    other.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"study": "other"}), encoding="utf-8")
    for file, condition in (
        (other, "document.getElementById('earlier-told').textContent.includes('no answers')"),
        (path, "!document.getElementById('end').hidden"),
    ):
        node = tab.call("DOM.getDocument")["root"]["nodeId"]
        field = tab.call("DOM.querySelector", nodeId=node, selector="#earlier")["nodeId"]
        tab.call("DOM.setFileInputFiles", nodeId=field, files=[str(file)])
        tab.until(condition)
    assert tab.run("document.getElementById('missing').hidden")


def downloaded(tab, pattern: str) -> Path:
    for _ in range(200):
        found = list(tab.downloads.glob(pattern))
        if found:
            return found[0]
        tab.run("new Promise((done) => setTimeout(done, 50))")
    raise AssertionError(f"no {pattern} in {tab.downloads}")


def test_listeners_hear_other_orders_and_sides(tab, study):
    def heard(listener):
        begin(tab, study, listener)
        first = tab.run("[document.getElementById('prompt').textContent, document.getElementById('sound-left').src]")
        return tuple(first)

    heard_by = {name: heard(name) for name in ("Anna", "Bob", "Cleo", "Dan", "Eve", "Fay")}
    assert heard_by["Anna"] == heard(" anna "), "the same listener, the same order"
    assert len(set(heard_by.values())) > 2


def test_a_browser_that_keeps_nothing_is_told_of(tab, study):
    tab.open(study)
    broken = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    script = tab.call("Page.addScriptToEvaluateOnNewDocument", source=broken)["identifier"]
    tab.open(study)
    tab.run("document.getElementById('listener').value = 'Zoe'; document.getElementById('begin').click()")
    tab.until("!document.getElementById('trial').hidden")
    assert "save your answers before you close" in text(tab, "#not-kept")
    tab.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    tab.run("window.onbeforeunload = null")
    assert tab.faults == []


def test_a_report_prints(tab, report):
    tab.open(report)
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.run("getComputedStyle(document.querySelector('audio')).display") == "none"
    assert tab.run("getComputedStyle(document.querySelector('.toolbar')).display") == "none"
    tab.call("Emulation.setEmulatedMedia", media="")


def test_a_silent_sound_can_be_judged(tab, tmp_path):
    for name in ("a", "b"):
        save_audio(tmp_path / name / "x.wav", [0.0] * 8000, 8000, {"prompt": "nothing"})
    run(StudyConfig(folders=(tmp_path / "a", tmp_path / "b"), output=tmp_path / "study.html"))
    begin(tab, tmp_path / "study.html", "Anna")
    hear(tab)
    assert tab.run("document.querySelectorAll('fieldset:disabled').length") == 0


def test_a_pair_that_cannot_be_played_is_passed_and_told(tab, study, tmp_path):
    page = study.read_text(encoding="utf-8")
    (tmp_path / "study.html").write_text(re.sub(r'(id="data-\d">)[^<]*', r"\1AAAA", page), encoding="utf-8")
    begin(tab, tmp_path / "study.html", "Anna")
    tab.until("document.getElementById('listen-first').textContent.includes('cannot play')")
    tab.press("n")
    assert text(tab, "#number") == "Pair 2 of 4"


def test_a_sound_that_is_played_from_its_middle_was_heard(tab, study):
    begin(tab, study, "Anna")
    sound = "document.getElementById('sound-left')"
    tab.until(f"{sound}.readyState > 2")
    tab.run(f"{sound}.currentTime = 0.2")
    tab.run(f"{sound}.play().catch(() => null)")
    tab.until("document.getElementById('panel-left').classList.contains('heard')")
