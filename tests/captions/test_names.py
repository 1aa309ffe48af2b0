"""Captioners by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from audiojourney.captions.names import CAPTIONERS, DEFAULT_CAPTIONER, CaptionerOptions, build_captioner
from audiojourney.errors import UsageError


def test_the_seven_captioners_are_known():
    assert set(CAPTIONERS) == {"pocket", "template", "labels", "visual", "autocap", "audio-flamingo", "qwen2-audio"}
    assert DEFAULT_CAPTIONER in CAPTIONERS


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="'autocap'"):
        build_captioner("autocpa", CaptionerOptions())


def test_a_builder_is_given_the_options(monkeypatch):
    monkeypatch.setattr(CAPTIONERS, "_table", {"own": "builtins:repr"})
    options = CaptionerOptions(model="mine", settings={"beams": 2})
    assert build_captioner("own", options) == repr(options)


def test_the_table_imports_no_network():
    script = "import sys, audiojourney.captions.names; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"torch", "transformers", "numpy"} & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("template", {"model": "a/b"}),
        ("template", {"endpoint": "http://localhost:1"}),
        ("pocket", {"endpoint": "http://localhost:1"}),
        ("autocap", {"examples": Path("mine.yaml")}),
    ],
)
def test_what_a_captioner_has_no_use_for_is_refused(name, given):
    ((option, value),) = given.items()
    with pytest.raises(UsageError, match=rf"--{option} '{value}' means nothing to the captioner '{name}'.*labels"):
        build_captioner(name, CaptionerOptions(**given))


def test_a_captioner_of_ones_own_is_given_all(monkeypatch):
    monkeypatch.setattr(CAPTIONERS, "_table", {"template": "builtins:repr"})
    options = CaptionerOptions(endpoint="http://localhost:1", examples=Path("x"))
    assert build_captioner("template", options) == repr(options)
