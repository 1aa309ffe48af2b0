from __future__ import annotations

import itertools
import json
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes.data_stats import StatsConfig, run
from audiojourney.recipes.data_stats_page import stats_page
from audiojourney.recipes.histogram import Histogram
from audiojourney.recipes.word_cloud import HEIGHT, WIDTH, lay_out
from tests.data.formats.published import put_sound, put_text

numbers = st.lists(st.floats(0, 1e5), min_size=1, max_size=60)


@given(numbers, st.sampled_from([0.1, 1.0]), st.integers(1, 30))
def test_bins_hold_every_value_once_and_follow_each_other(values, width, most):
    histogram = Histogram(width)
    for value in values:
        histogram.add(value)
    bins = histogram.bins(most)
    assert sum(count for _, _, count in bins) == len(values)
    assert len(bins) <= most
    assert all(one[1] == pytest.approx(other[0]) for one, other in itertools.pairwise(bins))
    assert bins[0][0] <= min(values) + 1e-6
    assert bins[-1][1] >= max(values) * (1 - 1e-9)
    summary = histogram.summary()
    assert summary["mean"] == pytest.approx(math.fsum(values) / len(values))
    assert (summary["min"], summary["max"]) == (min(values), max(values))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.floats(0.01, 1))
def test_quantiles_of_whole_numbers_are_exact(values, share):
    histogram = Histogram(1.0)
    for value in values:
        histogram.add(value)
    assert histogram.quantile(share) == sorted(values)[math.ceil(share * len(values)) - 1]


def test_bins_widen_so_that_memory_is_bounded():
    histogram = Histogram(0.1)
    for value in range(20_000):
        histogram.add(value)
    assert len(histogram.counts) <= 1024
    assert histogram.quantile(0.5) == pytest.approx(10_000, rel=0.01)
    assert Histogram(1.0).bins() == []
    assert Histogram(1.0).quantile(0.5) is None


@given(st.dictionaries(st.text(min_size=1, max_size=15), st.integers(1, 1000), max_size=12))
@settings(max_examples=25, deadline=None)
def test_words_do_not_overlap_and_stay_inside(counts):
    words = lay_out(counts.items())
    assert lay_out(reversed(counts.items())) == words
    for place, word in enumerate(words):
        assert word.size / 2 <= word.y <= HEIGHT - word.size / 2
        assert 0 <= word.x <= WIDTH
        assert not any(word.overlaps(other) for other in words[:place])
    sizes = [word.size for word in words if len(word.text) < 10]
    assert sizes == sorted(sizes, reverse=True)


@pytest.fixture
def data(tmp_path):
    """Five clips of three recordings; one without captions, one whose length has to be measured."""
    put_sound(tmp_path / "a.wav", seconds=0.5)
    rows = [
        {"source_id": "v1", "duration": 1.0, "text": "A dog barks.", "labels": ["dog"], "split": "train"},
        {"source_id": "v1", "duration": 2.0, "captions": ["A dog", "Rain, rain and dogs' feet"], "labels": ["dog"]},
        {"source_id": "v1", "duration": 3.0, "labels": ["<b>rain</b>"], "license": "CC0-1.0"},
        {"source_url": "http://x", "duration": 4.0, "text": "<script>alert(1)</script>"},
        {"text": "the sea"},
    ]
    lines = [
        json.dumps({"file_name": "a.wav" if place == 4 else f"{place}.wav", **row}) for place, row in enumerate(rows)
    ]
    put_text(tmp_path / "metadata.jsonl", "\n".join([*lines, '{"no": 1}', '{"file_name": "gone.wav"}']) + "\n")
    return tmp_path


def test_counts(data):
    stats = run(StatsConfig(source=data))
    assert (stats["clips"], stats["captions"], stats["clips_with_captions"], stats["bad_rows"]) == (6, 5, 4, 1)
    assert stats["clips_of_unknown_length"] == 1
    assert stats["hours"] == pytest.approx(10.5 / 3600)
    assert stats["recordings"] == 4
    assert stats["histograms"]["segments_per_recording"] == [(1.0, 2.0, 3), (2.0, 3.0, 0), (3.0, 4.0, 1)]
    assert stats["labels"] == {"dog": 2, "<b>rain</b>": 1}
    assert dict(stats["top_words"])["a"] == 2
    assert dict(stats["content_words"]) == {word: 1 for word in ("barks", "dogs", "feet", "sea", "alert", "script")} | {
        "dog": 2,
        "rain": 2,
        "script": 2,
    }
    assert stats["caption_words"]["max"] == 5
    assert stats["splits"] == {"unsplit": 5, "train": 1}
    json.dumps(stats)


def test_one_split_and_few_names(data):
    stats = run(StatsConfig(source=data, split="train", top=1))
    assert (stats["clips"], stats["top_words"]) == (1, [("a", 1)])


def test_sounds_are_not_opened_where_that_is_not_wanted(data):
    assert run(StatsConfig(source=data, probe=False))["clips_of_unknown_length"] == 2


def test_nothing_to_count(tmp_path):
    with pytest.raises(MissingError, match="nowhere"):
        run(StatsConfig(source=tmp_path / "nowhere"))
    with pytest.raises(MissingError, match="holds no clip"):
        run(StatsConfig(source=tmp_path))
    with pytest.raises(UsageError, match="top is 0"):
        StatsConfig(top=0)


class Elements(HTMLParser):
    """Collects elements and attributes, and checks that they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in ("meta", "link", "input", "br", "img", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_escaped_and_asks_for_nothing(data):
    page = stats_page(run(StatsConfig(source=data)))
    elements = Elements()
    elements.feed(page)
    assert elements.open == []
    assert all(address.startswith("data:") for address in elements.addresses)
    assert "<script>alert" not in page
    assert "<b>rain" not in page
    assert "&lt;b&gt;rain&lt;/b&gt;" in page
    assert elements.tags.count("svg") > 4
    assert not re.search(r"https?://(?!www\.w3\.org|x)", page)
    assert stats_page(run(StatsConfig(source=data))) == page


def test_a_page_of_sounds_without_captions(tmp_path):
    put_sound(tmp_path / "a.wav")
    page = stats_page(run(StatsConfig(source=tmp_path)))
    assert "Words of the captions" not in page
