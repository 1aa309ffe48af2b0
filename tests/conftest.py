"""Isolation for every test: an empty home, no network, no settings of the person who runs the tests."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

# Before any library is imported: some read these once, at import.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Read by pytest-timeout where it is installed; a plain setting would be an error where it is not.
os.environ.setdefault("PYTEST_TIMEOUT", "300")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty home folder and no `AJ_*` settings; returns the folder."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("AJ_")]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "SOURCE_DATE_EPOCH", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("AJ_HOME", str(home / "aj"))
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    for kind in ("CONFIG", "CACHE", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    return home


@pytest.fixture(autouse=True)
def same_numbers_every_time() -> None:
    """Seed what draws without a generator of its own, so that a test which passes once passes always."""
    random.seed(0)
    for name, seed in (("numpy", lambda m: m.random.seed(0)), ("torch", lambda m: m.manual_seed(0))):
        if name in sys.modules:
            seed(sys.modules[name])


@pytest.fixture(scope="session")
def shared_fixtures() -> Path:
    """The folder of reference numbers beside the checkout; the test is skipped where it is absent."""
    folder = SHARED / "fixtures"
    if not folder.is_dir():
        pytest.skip(f"no reference numbers at {folder}")
    return folder


@pytest.fixture(scope="session")
def shared_recordings() -> Path:
    """The folder of real recordings beside the checkout; the test is skipped where it is absent."""
    folder = SHARED / "data" / "esc10"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}")
    return folder
