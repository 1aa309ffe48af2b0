"""`aj info`, `aj models`, `aj doctor`."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest
import soundfile
from safetensors.numpy import save_file

from audiojourney import hub, model_folder
from audiojourney.recipes import doctor


@pytest.fixture
def shipped(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped models: a generator that names a text encoder."""
    folder = tmp_path_factory.mktemp("pocket")
    models = {"generator": "kind: pocket-generator\nmodel: {text: pocket/text}\n", "text": "kind: pocket-text\n"}
    for name, settings in models.items():
        (folder / name).mkdir()
        (folder / name / "config.yaml").write_text(settings, encoding="utf-8")
    (folder / "generator" / "provenance.json").write_text('{"license": "Apache-2.0", "steps": 9}', encoding="utf-8")
    monkeypatch.setattr(hub, "POCKET", folder)
    return folder


def test_info_shows_what_made_a_sound(aj, tone):
    aj("generate", "rain", "--seed", "7", "-o", "x.wav")
    text = aj("info", "x.wav")
    assert text.exit_code == 0
    assert "  prompt        rain\n" in text.stdout
    found = json.loads(aj("info", "x.wav", "--json").stdout)
    assert (found["rate_hz"], found["channels"], found["duration_s"]) == (16_000, 1, 1.0)
    assert (found["made"]["prompt"], found["made"]["seed"]) == ("rain", 7)


def test_info_of_a_sound_that_says_nothing(aj):
    soundfile.write("plain.flac", [0.0] * 800, 8_000)
    found = json.loads(aj("info", "plain.flac", "--json").stdout)
    assert (found["made"], found["duration_s"], found["format"]) == (None, 0.1, "FLAC PCM_16")


@pytest.mark.parametrize(
    ("name", "content", "code"), [("none.wav", None, 3), ("empty.wav", b"", 1), ("text.wav", b"<html>", 1)]
)
def test_info_of_what_is_no_sound(aj, name, content, code):
    if content is not None:
        Path(name).write_bytes(content)
    result = aj("info", name)
    assert result.exit_code == code
    assert name in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", [("info",), ("models", "show")])
def test_a_model_is_described(aj, shipped, command):
    found = json.loads(aj(*command, "pocket", "--json").stdout)
    assert found["license"] == "Apache-2.0"
    assert found["settings"]["kind"] == "pocket-generator"
    assert found["provenance"]["steps"] == 9
    assert found["sha256"] == model_folder.fingerprint(shipped / "generator")
    assert aj(*command, "pocket/genrator").exit_code == 3


def test_models_list(aj, shipped):
    text = aj("models", "list").stdout
    assert "pocket/generator" in text
    rows = [json.loads(line) for line in aj("models", "list", "--json").stdout.splitlines()]
    assert {"pocket/generator", "pocket/text", "genau-full-l"} <= {row["name"] for row in rows}
    assert next(row for row in rows if row["name"] == "pocket/generator")["license"] == "Apache-2.0"


def test_models_pull_prints_the_folder_or_ends_with_3(aj, shipped):
    assert aj("models", "pull", "pocket/text").stdout == f"{shipped / 'text'}\n"
    result = aj("models", "pull", "some/model")
    assert (result.exit_code, result.stdout) == (3, "")


def test_doctor_finds_a_package_that_is_there_and_does_not_load(aj, shipped, monkeypatch, tmp_path):
    (tmp_path / "brokenpackage.py").write_text("raise OSError('libc10_cuda.so: cannot open\\nmore')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(doctor, "NEEDED", {"yaml": "PyYAML"})
    monkeypatch.setattr(doctor, "NEIGHBOURS", ("brokenpackage",))
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: "1.2")
    monkeypatch.setattr(doctor, "EXTRAS", {})
    result = aj("doctor", "--json")
    assert result.exit_code == 1
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert rows["brokenpackage"]["status"] == "broken"
    assert "libc10_cuda.so: cannot open)" in rows["brokenpackage"]["detail"]
    assert "pip uninstall brokenpackage" in rows["brokenpackage"]["detail"]
    assert rows["PyYAML"] == {"name": "PyYAML", "status": "ok", "detail": "1.2"}
    assert "broken: brokenpackage" in result.stderr


def test_doctor_ends_with_0_when_all_is_well(aj, shipped, monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED", {"yaml": "PyYAML"})
    result = aj("doctor")
    assert result.exit_code == 0, result.output
    assert "pocket/generator, pocket/text" in result.stdout


def test_doctor_misses_a_needed_package_and_the_shipped_model(aj, shipped, monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED", {"no_such_module": "no-such-package"})
    (shipped / "generator" / "config.yaml").unlink()
    result = aj("doctor")
    assert result.exit_code == 1
    assert 'pip install "no-such-package"' in result.stdout
    assert "broken: no-such-package, pocket models." in result.stderr


def test_doctor_says_when_the_cache_cannot_be_written(aj, shipped, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "NEEDED", {})
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("AJ_HOME", str(tmp_path / "file" / "below"))
    result = aj("doctor")
    assert result.exit_code == 1
    assert "Set AJ_HOME" in result.stdout


def test_doctor_names_the_gpu(monkeypatch):
    cuda = types.SimpleNamespace(
        is_available=lambda: True,
        device_count=lambda: 1,
        get_device_properties=lambda index: types.SimpleNamespace(name="Big GPU", total_memory=80 * 2**30),
    )
    cpu = types.SimpleNamespace(get_cpu_capability=lambda: "AVX2")
    fake = types.SimpleNamespace(cuda=cuda, backends=types.SimpleNamespace(cpu=cpu), get_num_threads=lambda: 3)
    monkeypatch.setitem(sys.modules, "torch", fake)
    checks = {check.name: check.detail for check in doctor._devices()}
    assert checks["cuda:0"] == "Big GPU, 80 GiB"
    assert checks["cpu"].startswith("3 threads of ")


def test_fingerprint_follows_the_models_that_a_model_names(shipped, tmp_path):
    before = model_folder.fingerprint(shipped / "generator")
    save_file({}, shipped / "text" / "model.safetensors")
    assert model_folder.fingerprint(shipped / "generator") != before
