"""Settings of the loop that cannot be meant are refused."""

import subprocess
import sys

import pytest

from audiojourney.errors import UsageError
from audiojourney.training.settings import LoopConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("batch", -1),
        ("accumulate", 0),
        ("lr", 0.0),
        ("warmup", -1),
        ("clip_norm", 0.0),
        ("ema", 1.0),
        ("betas", (0.9, 1.5)),
        ("dtype", "fp8"),
        ("optimizer", "adam"),
        ("lr_schedule", "cosinus"),
        ("keep_last", 0),
        ("stop_after_s", 0.0),
        ("lr", float("nan")),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_value(name: str, value: object):
    with pytest.raises(UsageError, match=f"loop.{name} is"):
        LoopConfig(**{name: value})


def test_what_decides_the_weights():
    base = LoopConfig()
    assert LoopConfig(save_every=5, stop_after_s=1.0, threads=2, log_every=7).identity() == base.identity()
    assert LoopConfig(lr=2e-3).identity() != base.identity()
    assert LoopConfig(steps=7).identity() != base.identity()
    constant = LoopConfig(lr_schedule="constant")
    assert LoopConfig(lr_schedule="constant", steps=7).identity() == constant.identity()


def test_reading_the_defaults_costs_no_torch():
    code = "import sys, audiojourney.training.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
