"""The whole measurement: the page is written whatever comes out, and the exit code says what came out."""

import json
import math
from types import SimpleNamespace

import pytest
import torch
from typer.testing import CliRunner

from audiojourney import model_folder
from audiojourney.cli import pocket_eval as command
from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes.pocket_eval import naming, page, wordings
from audiojourney.recipes.pocket_eval import run as recipe
from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.settings import PocketEvalConfig
from tests.recipes.pocket_doubles import clips, judge, lenient, write_recordings

GATES = ("size", "autoencoder", "vocoder", "named", "wordings", "scenes", "distribution", "novelty")


def gate(name, reached, counts=True):
    return lambda bench: [
        Figure(gate=name, what=f"{name} of it", sign=">=", limit=0.5, counts=counts, reached=reached, clips=3)
    ]


@pytest.fixture
def model(tmp_path):
    model_folder.write_model(tmp_path / "model", {"kind": "pocket-generator", "model": {}}, {"w": torch.zeros(1)})
    return tmp_path / "model"


@pytest.fixture
def config(tmp_path, model):
    return PocketEvalConfig(model=str(model), output=tmp_path / "docs" / "results.md")


def invoke(*arguments):
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments])


def test_every_gate_of_the_project_is_there():
    assert set(recipe.GATES) == set(GATES)


def test_results_are_written_when_a_gate_fails(model, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "GATES", {"good": gate("good", 0.9), "bad": gate("bad", 0.1)})
    found = invoke("--model", model, "-o", tmp_path / "r.md")
    assert found.exit_code == 4 and "Not met: bad." in found.stderr
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "| bad | bad of it |" in text and "| no |" in text and "Gates missed: bad." in text
    table = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [(figure["gate"], figure["met"]) for figure in table["figures"]] == [("good", True), ("bad", False)]


def test_what_was_measured_before_an_error_is_kept(config):
    def broken(bench):
        raise MissingError("absent")

    with pytest.raises(MissingError, match="absent"):
        recipe.run(config, gates={"good": gate("good", 0.9), "broken": broken})
    assert "| good | good of it |" in config.output.read_text(encoding="utf-8")


def test_exit_code_is_zero_when_all_gates_are_met(model, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "GATES", {"good": gate("good", 0.9), "aside": gate("aside", 0.1, counts=False)})
    found = invoke("--model", model, "-o", tmp_path / "r.md")
    assert found.exit_code == 0, found.stderr
    assert "| (no) |" in (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "good" in found.stdout and "0.9" in found.stdout


def test_only_measures_one_gate_and_writes_where_it_is_told(model, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "GATES", {"good": gate("good", 0.9), "bad": gate("bad", 0.1)})
    monkeypatch.chdir(tmp_path)
    found = invoke("--model", model, "--only", "good", "--json")
    assert found.exit_code == 0 and not (tmp_path / "docs").exists()
    assert json.loads(found.stdout)["reached"] == 0.9
    assert invoke("--model", model, "--only", "goood").exit_code == 2


class Unequipped(Bench):
    """A bench with all that a model makes, and nothing else."""

    pipeline = SimpleNamespace(autoencoder=None, vocoder=None)
    generated = generated_unseen = clips(1)

    def make(self, order):
        return clips(1)


@pytest.mark.parametrize("name", GATES[1:])
def test_without_recordings_every_gate_but_one_says_what_to_give(name):
    with pytest.raises(MissingError, match=r"no recordings to measure with.*--recordings"):
        recipe.GATES[name](Unequipped(PocketEvalConfig(per_class=1)))


def test_no_recordings_is_exit_code_three(model, tmp_path):
    found = invoke("--model", model, "--only", "novelty", "--recordings", tmp_path / "absent")
    assert found.exit_code == 3 and "--recordings" in found.stderr


def test_a_model_that_is_not_there_is_exit_code_three(tmp_path):
    assert invoke("--model", tmp_path / "absent", "--only", "size").exit_code == 3


def test_a_part_is_only_looked_for_in_pocket_models(config):
    bench = Bench(config)
    bench.__dict__["generator"] = object()
    with pytest.raises(MissingError, match="no pocket model"):
        _ = bench.pipeline


def test_gates_that_need_no_parts_work_on_a_bench_of_doubles(tmp_path, config):
    bench = Bench(config)
    bench.__dict__.update(strict=judge(), lenient=lenient(), generated=clips(2), generated_unseen=clips(2))
    bench.real = lambda who: clips(1, seed=3)
    figures = [*naming.measure(bench), *wordings.measure(bench)]
    assert [f.judge for f in figures] == ["strict"] * 3 + ["lenient"] * 3 + ["strict", "lenient"]
    assert [f.counts for f in figures] == [True] * 3 + [False] * 3 + [True, False]
    text = page.section(figures, GATES, facts())
    for name in GATES:
        assert f"| {name} | " in text
        assert (f"| {name} | not measured |" in text) == (name not in ("named", "wordings"))
    assert "Not measured: size, autoencoder, vocoder, scenes, distribution, novelty." in text
    assert "| wind_chimes | 1 | 1 | 1 | 1 | 1 | 1 | - |" in text


def facts(hold_out=4):
    return {"model": "m", "weights": "w", "hold_out": hold_out, "per_class": 10, "duration_s": 5.12, "scene_s": 10.24}


@pytest.mark.parametrize(
    ("fold", "told"), ((4, "without the recordings of fold 4"), (None, "flattering"), (2, "asks for fold 4"))
)
def test_the_page_says_what_the_model_was_kept_from(fold, told):
    assert told in page.section([], GATES, facts(fold))


def test_real_clips_of_a_judge_are_those_it_never_heard(tmp_path, config):
    recordings = write_recordings(tmp_path / "esc")
    bench = Bench(PocketEvalConfig(recordings=recordings, per_class=1, duration_s=1.0))
    strict, other = bench.real(judge()), bench.real(lenient())
    assert len(strict) == 30 + 39 and len(other) == 10 + 39
    own = {float(mel.sum()) for mel in bench.recorded(4).mels}
    assert not own & {float(mel.sum()) for mel in strict.mels} and own <= {float(mel.sum()) for mel in other.mels}
    assert len(bench.held_out) == 49


def test_what_others_wrote_on_the_page_stays(tmp_path):
    target = tmp_path / "results.md"
    target.write_text("# Results\n\nbefore\n", encoding="utf-8")
    figures = [Figure(gate="g", what="w", reached=0.123456, clips=2)]
    page.write(target, figures, ("g",), facts())
    once = target.read_text(encoding="utf-8")
    target.write_text(once + "\nafter\n", encoding="utf-8")
    page.write(target, [Figure(gate="g", what="w", reached=0.5, clips=2)], ("g",), facts())
    twice = target.read_text(encoding="utf-8")
    assert twice.startswith("# Results\n\nbefore\n") and twice.endswith("\nafter\n")
    assert "0.123" in once and "0.123" not in twice and twice.count("## Pocket models") == 1


def test_figures_that_are_no_numbers_stay_readable():
    lost = Figure(gate="g", what="w", sign="<=", limit=60.0, reached=math.nan, clips=0)
    assert page.row(lost)[4] == "-" and page.verdict(lost) == "no"
    assert page.to_json(lost)["reached"] is None and json.dumps(page.to_json(lost), allow_nan=False)


def test_numbers_below_one_are_refused():
    with pytest.raises(UsageError, match="per_class is 0"):
        PocketEvalConfig(per_class=0)
