"""What is refused or said before any sound is opened: outputs, modes, plans, settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiojourney.data.clip import Caption, Clip
from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes.eval import listen, make, plan, sides
from audiojourney.recipes.eval import run as recipe
from audiojourney.recipes.eval.networks import Network
from audiojourney.recipes.eval.plan import Planner
from audiojourney.recipes.eval.settings import EvalConfig
from audiojourney.recipes.eval.texts import is_captions
from tests.recipes.eval.sets import write_manifest, write_sounds


@pytest.fixture(autouse=True)
def deaf(tmp_path, monkeypatch):
    """Go to an empty folder, where opening a sound to hear it is a failure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(listen, "load", lambda *args, **options: pytest.fail("a sound was opened"))
    return tmp_path


def config(**options):
    return EvalConfig(**{"generated": "g", "reference": "r", "embedding": ("pocket",), **options})


@pytest.mark.parametrize("field", ("output", "report", "save_stats"))
def test_outputs_that_are_there_or_are_folders(field):
    Path("old").write_text("mine", encoding="utf-8")
    Path("folder").mkdir()
    with pytest.raises(UsageError, match="'old' exists"):
        recipe.run(config(**{field: Path("old")}))
    with pytest.raises(UsageError, match="'folder' is a folder"):
        recipe.run(config(**{field: Path("folder")}, exists="overwrite"))
    assert Path("old").read_text(encoding="utf-8") == "mine"


def test_gates_and_earlier_results_are_read_first():
    with pytest.raises(UsageError, match="no condition"):
        recipe.run(config(fail_if=("fad",)))
    with pytest.raises(MissingError, match=r"no result file 'old\.json'"):
        recipe.run(config(compare=Path("old.json")))
    with pytest.raises(MissingError, match="no file of statistics"):
        write_sounds(Path("g"), count=1, seconds=0.1)
        recipe.run(config(reference="", reference_stats=Path("s.npz")))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"limit": 0}, "--limit is 0; expected 1 or more"),
        ({"draws": 1}, "--draws is 1; expected 2 or more"),
        ({"workers": -1}, "--workers is -1; expected 1 or more"),
        ({"metrics": ("fid",)}, "no metric 'fid'"),
        ({"reference_stats": Path("s.npz")}, "not both"),
    ],
)
def test_settings_that_cannot_be_meant(options, told):
    with pytest.raises(UsageError, match=told):
        config(**options)


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        (("caption", "fad"), "'caption' measures another kind of file than"),
        (("classification", "kl"), "'classification' measures another kind"),
        (("caption", "classification"), "in two commands"),
    ],
)
def test_metrics_of_different_kinds_of_files(metrics, told):
    with pytest.raises(UsageError, match=told):
        recipe.run(config(metrics=metrics))


def test_plans_say_what_would_be_done():
    write_sounds(Path("g"), count=3, seconds=0.1)
    write_sounds(Path("r"), count=2, seconds=0.1)
    assert recipe.plan(config()) == "all metrics of 3 clips of g against 2 clips of r, convention ours"
    assert recipe.plan(config(limit=1, metrics=("fad", "kl"))).startswith("fad, kl of 1 clips of g against 1 clips")
    assert "against nothing" in recipe.plan(config(reference=""))
    assert "against s.npz" in recipe.plan(config(reference="", reference_stats=Path("s.npz")))
    assert recipe.plan(config(generated="pocket/generator")).startswith("all metrics of sounds made by pocket/gen")
    Path("c.jsonl").write_text('{"id": "a", "caption": "x"}', encoding="utf-8")
    assert recipe.plan(config(generated="c.jsonl")) == "caption of c.jsonl against r"
    assert "what the file itself says" in recipe.plan(config(generated="s.npz", reference=""))


def test_what_is_a_file_of_captions():
    write_sounds(Path("g"), count=1, seconds=0.1)
    files = {
        "a.jsonl": ('{"id": "a", "caption": "x"}', True),
        "b.jsonl": ('{"file_name": "gone.wav", "caption": "x"}', True),
        "c.jsonl": ('{"file_name": "g/c00.wav", "caption": "x"}', False),
        "d.csv": ("id,caption\na,x\n", True),
        "e.csv": ("path,caption\ng/c00.wav,x\n", False),
        "f.json": ("{", False),
        "g.txt": ("a caption", False),
    }
    for name, (text, expected) in files.items():
        Path(name).write_text(text, encoding="utf-8")
        assert is_captions(Path(name)) is expected, name
    assert not is_captions(Path("g")) and not is_captions(Path("none.jsonl"))


def test_an_embedding_that_measures_nothing_of_what_is_asked(monkeypatch):
    embedder = type("Embedder", (), {"name": "openl3"})()
    monkeypatch.setattr(plan, "open_network", lambda name, device: Network(embedder, name, "ab"))
    planner = Planner(config(embedding=("mine.pth",), metrics=("fad",)), "cpu", print)
    with pytest.raises(UsageError, match=r"None of \('mine.pth',\) measures fad"):
        planner.slots(True)
    slots = Planner(config(embedding=("mine.pth",), metrics=("fad", "fd")), "cpu", print).slots(True)
    assert [slot.name for slot in slots] == ["fd_openl3"]


def test_a_network_that_is_nothing():
    with pytest.raises(UsageError, match="Did you mean 'pocket'"):
        Planner(config(embedding=("pockt",)), "cpu", print).slots(True)


def test_a_model_without_reference_or_captions(monkeypatch):
    write_sounds(Path("r"), count=2, seconds=0.1)
    monkeypatch.setattr(sides, "is_model", lambda name: True)
    known = sides.hub.resolve_model
    monkeypatch.setattr(sides.hub, "resolve_model", lambda name: Path(name) if name == "some/model" else known(name))
    with pytest.raises(MissingError, match="is a model; sounds are made from the captions of a reference"):
        recipe.run(config(generated="some/model", reference=""))
    with pytest.raises(MissingError, match="none of 2 reference clips has a caption"):
        recipe.run(config(generated="some/model"))


def test_reference_clips_without_caption_are_counted(monkeypatch):
    told = []
    clips = [Clip(path=Path(f"{n}.wav"), id=str(n), captions=(Caption("x"),) if n else ()) for n in range(3)]

    def stop(name):
        raise MissingError("far enough")

    monkeypatch.setattr(make.hub, "resolve_model", stop)
    with pytest.raises(MissingError, match="far enough"):
        make.make_sounds(EvalConfig(), "m", clips, told.append, lambda *step: None)
    assert told == ["1 reference clips have no caption, so no sound is made for them: '0'"]


def test_length_of_what_is_made_is_that_of_the_median_reference():
    write_manifest(write_sounds(Path("r"), count=3, seconds=0.5))
    write_sounds(Path("r"), count=1, seconds=2.0)
    clips = sides.read_side("r")
    assert make._length(clips) == 0.5
    gone = [Clip(path=Path("gone.wav"), id="gone")]
    assert make._length(gone) == float("inf")
    assert make._length([*gone, *clips]) == 0.5


def test_seeds_belong_to_clips():
    seeds = [make._seed(seed, name) for seed in (0, 1) for name in ("a", "b", "\udcff")]
    assert len(set(seeds)) == 6 and all(0 <= seed < 2**32 for seed in seeds)
    assert make._seed(0, "a") == make._seed(0, "a")


def test_json_has_no_files_unless_they_are_asked_for():
    Path("c.jsonl").write_text('{"id": "a", "caption": "x"}\n{"id": "b", "caption": "y"}', encoding="utf-8")
    report = recipe.run(EvalConfig(generated="c.jsonl", reference="c.jsonl", fail_if=("bleu_1>0.5",)))
    short, whole = (recipe.to_json(report, per_file=wanted) for wanted in (False, True))
    assert "files" not in short and [row["id"] for row in whole["files"]] == ["a", "b"]
    assert short["unmet"][0].startswith("bleu_1 is ") and short["missing"] == []
    assert set(whole) - set(short) == {"files"}
    json.dumps(whole, allow_nan=False)
