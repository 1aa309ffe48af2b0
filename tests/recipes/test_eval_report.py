from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.recipes.eval.result import EvalResult, FileRow, MetricRow
from audiojourney.recipes.eval_report import ReportConfig, write_report
from audiojourney.recipes.eval_report_samples import choose, ranking
from tests.recipes.study_doubles import tones

EVIL = "<img src=x onerror=alert(1)>"
COUNT = 12
SCORES = [0.1, 0.9, 0.3, 0.4, 0.5, None, 0.45, 0.35, 0.25, 0.15, 0.6, 0.7]


def row(number: int, folder: Path, **changes) -> FileRow:
    fields = {
        "id": f"clip-{number}",
        "generated": str(folder / "made" / f"{number:03d}.wav"),
        "caption": f"caption {number}",
        "label": "dog" if number % 2 else "rain",
        "scores": {"kl_panns": float(number), "clap_laion": SCORES[number]},
    }
    return FileRow(**fields | changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    tones(folder / "made", [str(number) for number in range(COUNT)], duration_s=0.2)
    return folder


@pytest.fixture
def result(folder) -> EvalResult:
    metrics = (
        MetricRow(
            name="fad_vggish",
            value=2.81344,
            low=2.31,
            high=3.4,
            interval="subsampling, seed 0",
            n=(964, 12),
            better="lower",
            convention={"resampler": "soxr"},
            network="vggish.pth",
            weights_hash="0123456789abcdef",
        ),
        MetricRow(name="clap_laion", value=0.45, n=(12,), better="higher", warnings=("few clips",)),
        MetricRow(name="fense", reason="its model is not there"),
    )
    return EvalResult(
        metrics=metrics,
        files=tuple(row(number, folder) for number in range(COUNT)),
        warnings=("3 clips are silent.",),
        settings={"seed": 7},
        versions={"audiojourney": "9.9"},
        generated="made/",
        reference="real/",
    )


def page_of(result: EvalResult, tmp_path: Path, **settings) -> str:
    write_report(result, tmp_path / "out.html", ReportConfig(**settings))
    return (tmp_path / "out.html").read_text(encoding="utf-8")


def cells(page: str, table: str) -> list[list[str]]:
    """Return the texts of a table's rows."""
    inner = re.search(rf'<table id="{table}">.*?<tbody[^>]*>(.*?)</tbody>', page, re.S)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", inner, re.S)
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", one, re.S)] for one in rows]


def test_metrics_stand_with_interval_n_network_and_reason(result, tmp_path):
    rows = cells(page_of(result, tmp_path), "metrics")
    assert rows[0] == ["fad_vggish", "2.813", "2.31 to 3.4", "964 / 12", "lower", "vggish.pth 01234567", ""]
    assert rows[1][:4] == ["clap_laion", "0.45", "–", "12"]
    assert rows[1][-1] == "few clips"
    assert rows[2] == ["fense", "–", "–", "–", "", "–", "its model is not there"]


def test_warnings_conventions_settings_and_releases_are_told(result, tmp_path):
    page = page_of(result, tmp_path)
    for told in ("3 clips are silent.", "fad_vggish.resampler", "subsampling, seed 0", "seed", "against real/", "9.9"):
        assert told in page


def test_best_and_worst_by_clap(result, tmp_path):
    page = page_of(result, tmp_path, extremes=2)
    best, worst = re.findall(r'class="end">(.*?)</ol>', page, re.S)
    assert re.findall(r"caption \d+", best) == ["caption 1", "caption 11"]
    assert re.findall(r"caption \d+", worst) == ["caption 0", "caption 9"]
    assert 'data-plays="sample-1-generated"' in best
    assert 'id="sample-1-generated"' in page and 'href="#sample-1"' in page
    assert "Over 11 clips that have a value" in page


def test_lower_is_best_where_lower_is_better(result, folder, tmp_path):
    files = tuple(row(number, folder, scores={"kl_panns": float(number)}) for number in range(4))
    metrics = (MetricRow(name="kl_panns", value=1.5, better="lower"),)
    page = page_of(dataclasses.replace(result, files=files, metrics=metrics), tmp_path, extremes=1)
    best, worst = re.findall(r'class="end">(.*?)</ol>', page, re.S)
    assert ("caption 0" in best, "caption 3" in worst) == (True, True)
    assert "lower is better" in page


@pytest.mark.parametrize(
    ("scores", "better", "expected"),
    [
        ({"kl_panns": 1.0, "clap_ms": 0.2}, {}, ("clap_ms", True)),
        ({"kl_panns": 1.0}, {"kl_panns": "lower"}, ("kl_panns", False)),
        ({"odd": 1.0}, {}, ("", True)),
        ({"odd": 1.0}, {"odd": "lower"}, ("odd", False)),
        ({"clap_ms": None}, {}, ("", True)),
    ],
)
def test_what_ranks_the_clips(scores, better, expected):
    metrics = tuple(MetricRow(name=name, value=1.0, better=way) for name, way in better.items())
    assert ranking(EvalResult(metrics=metrics, files=(FileRow(id="a", scores=scores),))) == expected


def test_chosen_clips_are_the_ends_then_evenly_spread(folder):
    rows = [row(number, folder) for number in range(COUNT)]
    chosen = [one.id for one in choose(rows, [rows[11], rows[0]], 5)]
    assert chosen[:2] == ["clip-11", "clip-0"]
    assert chosen[2:] == ["clip-2", "clip-6", "clip-9"]
    assert len(choose(rows, [], 99)) == COUNT
    assert [one.id for one in choose(rows, rows, 3)] == ["clip-0", "clip-1", "clip-2"]
    assert choose(rows, rows, 0) == []


def test_shown_clips_are_counted(result, tmp_path):
    page = page_of(result, tmp_path, samples=5, extremes=1)
    assert "5 of 12 clips: the best and worst 1, and others evenly spread" in page
    assert page.count('class="card"') == 5
    assert "All 12 clips." in page_of(result, tmp_path)
    summary = write_report(result, tmp_path / "out.html", ReportConfig(samples=5))
    assert (summary.samples, summary.files) == (5, 12)
    assert summary.size_bytes == (tmp_path / "out.html").stat().st_size


def test_a_page_grows_no_larger_than_it_may(result, tmp_path):
    whole = page_of(result, tmp_path)
    small = page_of(result, tmp_path, max_mb=0.2)
    shown = small.count('class="card"')
    assert 1 <= shown < COUNT == whole.count('class="card"')
    assert f"{shown} of 12 clips" in small and "0.2 MB" in small
    assert "clip-1" in re.findall(r'class="soft">(clip-\d+)', small), "the best is shown first of all"


def test_all_clips_stand_in_the_table_up_to_its_limit(result, tmp_path):
    rows = cells(page_of(result, tmp_path), "files")
    assert rows[5] == ["clip-5", "dog", "caption 5", "5", "–", ""]
    page = page_of(result, tmp_path, rows=4)
    assert len(cells(page, "files")) == 4
    assert "The first 4 of 12 clips" in page


def test_labels_have_means_over_clips_that_have_a_value(result, tmp_path):
    rows = cells(page_of(result, tmp_path), "labels")
    assert rows == [["dog", "6", "6", "0.5"], ["rain", "6", "5", "0.3667"]]


def test_classes_of_a_classifier(result, tmp_path):
    classes = ({"name": "dog", "clips": 3, "average_precision": None}, {"name": "rain", "clips": 2, "auc": 0.5})
    rows = cells(page_of(dataclasses.replace(result, classes=classes), tmp_path), "classes")
    assert rows == [["dog", "3", "–", "–"], ["rain", "2", "–", "0.5"]]


def test_both_sides_of_a_pair_can_be_heard(result, folder, tmp_path):
    files = (row(0, folder, reference=str(folder / "made" / "001.wav"), notes=("silent",)),)
    page = page_of(dataclasses.replace(result, files=files), tmp_path)
    assert 'id="sample-0-generated"' in page and 'id="sample-0-reference"' in page
    assert page.count("<img") == page.count("<audio") == 2
    assert "silent" in page


def test_clips_that_cannot_be_read_are_named_and_the_rest_is_shown(result, folder, tmp_path):
    files = (row(0, folder, generated=str(tmp_path / "absent.wav")), *result.files[1:])
    summary = write_report(dataclasses.replace(result, files=files), tmp_path / "out.html")
    assert summary.samples == 11
    assert len(summary.unreadable) == 1 and "clip-0 is not shown" in summary.unreadable[0]
    assert "clip-0 is not shown" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_nothing_that_was_given_becomes_markup(result, folder, tmp_path):
    files = (row(0, folder, id=EVIL, caption=EVIL, label=EVIL, notes=(EVIL,), scores={EVIL: 0.5}),)
    evil = dataclasses.replace(
        result,
        files=files,
        metrics=(MetricRow(name=EVIL, reason=EVIL, network=EVIL, convention={EVIL: EVIL}),),
        warnings=(EVIL,),
        classes=({EVIL: EVIL},),
        settings={EVIL: EVIL},
        versions={EVIL: EVIL},
        generated=EVIL,
        reference=EVIL,
    )
    page = page_of(evil, tmp_path)
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 15


def test_captions_alone_and_nothing_at_all_have_a_page(tmp_path):
    files = (FileRow(id="a", caption="a dog barks", scores={"cider_d": 0.5}),)
    page = page_of(EvalResult(files=files), tmp_path)
    assert "Evaluation of captions" in page and "<audio" not in page and 'id="samples"' not in page
    assert "Metrics" in page_of(EvalResult(), tmp_path)


def test_the_same_result_gives_the_same_bytes(result, tmp_path):
    assert page_of(result, tmp_path) == page_of(result, tmp_path)


def test_a_page_that_cannot_be_written_is_an_error(result, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AudioJourneyError, match=r"out\.html"):
        write_report(result, tmp_path / "file" / "out.html", ReportConfig(samples=0))


@pytest.mark.parametrize("name", ["samples", "extremes", "max_mb", "most_s", "rows"])
def test_sizes_below_nought_are_refused(name):
    with pytest.raises(UsageError, match=name):
        ReportConfig(**{name: -1})
