"""`import audiojourney` is cheap and its names are real."""

from __future__ import annotations

import pytest

import audiojourney


def test_unknown_name_is_an_attribute_error_with_the_name():
    with pytest.raises(AttributeError, match="no_such_name"):
        audiojourney.no_such_name  # noqa: B018


def test_dir_lists_public_names():
    assert {"generate", "__version__"} <= set(dir(audiojourney))
