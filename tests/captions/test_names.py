"""Captioners by name."""

from __future__ import annotations

import subprocess
import sys

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
