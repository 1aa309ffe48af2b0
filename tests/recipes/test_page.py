from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.data.write import save_audio
from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.recipes.page import charts, media, parts
from audiojourney.recipes.page.document import document, header
from audiojourney.recipes.page.markup import Markup, data_block, escape, join, tag, text_block

EVIL = "<img src=x onerror=alert(1)>"


class Reader(HTMLParser):
    """Collects the elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@settings(max_examples=60)
@given(st.text(st.characters(codec=None, exclude_characters="\r"), max_size=40))
def test_no_text_becomes_markup(text):
    read = Reader(tag("p", text, title=text))
    assert [name for name, _ in read.elements] == ["p"]
    shown = str(escape(text)).encode("utf-8").decode("utf-8")
    assert Reader(f"<b title='{shown}'>{shown}</b>").elements[0][1]["title"] == read.elements[0][1]["title"]
    if text.isprintable():
        assert "".join(read.text) == text == read.elements[0][1]["title"]


def test_elements_nest_and_escape_only_once():
    inner = tag("b", "a & b")
    assert tag("p", inner, " < ", 3) == "<p><b>a &amp; b</b> &lt; 3</p>"
    assert join(["<", Markup("<br>")]) == "&lt;<br>"
    assert tag("input", class_="wide", data_id=3, hidden=True, title=None, checked=False) == (
        '<input class="wide" data-id="3" hidden>'
    )
    assert escape("a\x00b\udcff") == "a\ufffdb\\udcff"


@pytest.mark.parametrize(
    "attributes",
    [
        {"onclick": "alert(1)"},
        {"style": "color:red"},
        {"src": "https://example.org/x.png"},
        {"src": "//example.org/x.png"},
        {"href": "javascript:alert(1)"},
        {"src": "sound.wav"},
        {"srcset": "x.png 2x"},
        {"a b": "1"},
    ],
)
def test_what_leads_out_of_the_page_or_runs_is_refused(attributes):
    with pytest.raises(AudioJourneyError, match=re.escape(next(iter(attributes)))):
        tag("img", **attributes)


def test_data_for_scripts_cannot_end_their_element():
    value = {"name": "</script><script>alert(1)</script>", "list": [1, None, "\u2028<!--&"]}
    block = data_block("data", value)
    assert [name for name, _ in Reader(block).elements] == ["script"]
    assert json.loads(block.partition(">")[2].rpartition("</script>")[0]) == value
    with pytest.raises(AudioJourneyError, match="no base64"):
        text_block("sound", "</script>")


def test_the_policy_allows_the_scripts_of_the_page_and_nothing_else(tmp_path):
    script, style = tmp_path / "own.js", tmp_path / "own.css"
    script.write_text("let x = 1;\r\n", encoding="utf-8", newline="")
    style.write_text("p { color: red; }", encoding="utf-8")
    page = document(EVIL, [header(EVIL)], styles=[style], scripts=[script], kind="own")
    read = Reader(page)
    policy = next(
        values["content"] for name, values in read.elements if values.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    for kind, rule in (("script", "script-src"), ("style", "style-src")):
        texts = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.S)
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        assert rules[rule].split() == [f"'sha256-{one}'" for one in hashes]
        assert len(texts) == 2
    assert "let x = 1;\n" in page
    first = [name for name, _ in read.elements].index("meta")
    assert [name for name, _ in read.elements[first : first + 2]] == ["meta", "meta"]
    assert not [name for name, _ in read.elements if name == "img"]
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)


def test_a_script_that_would_end_its_element_is_refused(tmp_path):
    script = tmp_path / "own.js"
    script.write_text("'</script>'", encoding="utf-8")
    with pytest.raises(AudioJourneyError, match=r"own\.js"):
        document("x", [], scripts=[script])


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.123456, "0.1235"), (12345.6, "12,346"), (1234567, "1,234,567"), (0.0, "0"), (-3.5, "-3.5")],
)
def test_figures_have_four_digits_that_count(value, shown):
    assert parts.figure(value) == shown


def test_tables_keep_the_whole_number_to_sort_by():
    columns = ["name", parts.Column(title="v", numeric=True)]
    table = parts.table(columns, [(EVIL, 3.14159265), ("b", None)], name="t")
    read = Reader(table)
    assert [values.get("data-value") for name, values in read.elements if name == "td"] == [
        None,
        "3.14159265",
        None,
        "",
    ]
    assert EVIL in read.text
    assert {"3.142", "–"} <= set(read.text)
    with pytest.raises(ValueError, match="zip"):
        parts.table(columns, [("too short",)], name="t")


def test_facts_are_told_flat_and_notices_only_where_there_are_some():
    read = Reader(parts.facts({"a": {"b": 1, "c": [1, 2]}, "d": None, "e": ()}))
    assert read.text == ["a.b", "1", "a.c", "1, 2", "d", "–", "e", "–"]
    assert parts.notices([]) == ""
    assert Reader(parts.notices(["careful"])).text == ["Warnings", "careful"]
    many = parts.notices([f"told {number}" for number in range(parts.UNFOLDED + 2)])
    assert "2 more" in Reader(many).text and "told 4" in Reader(many).text
    assert many.index("told 2") < many.index("<details>") < many.index("told 3")
    assert "<details>" not in parts.notices(["told"] * parts.UNFOLDED)


def test_bars_are_as_long_as_their_numbers():
    drawn = charts.bars({"rain": 5, "dog": 20, "none": 0}, name="t", what="class")
    assert re.findall(r'rect width="([\d.]+)"', drawn) == ["25.00", "100.00", "0.00"]


def test_histograms_count_every_value():
    drawn = charts.histogram([0, 0, 1, 2, 9], what="seconds", bins=3)
    counts = [int(told.rpartition(": ")[2]) for told in re.findall(r"<title>(.*?)</title>", drawn)]
    assert counts == [4, 1]
    assert drawn.count("<rect") == drawn.count("</rect>") == 2
    for values in ([], [float("nan")]):
        with pytest.raises(UsageError, match="seconds"):
            charts.histogram(values, what="seconds")


def decoded(uri: str, tmp_path):
    path = tmp_path / "sound"
    path.write_bytes(base64.b64decode(uri.partition(",")[2]))
    return soundfile.read(path, always_2d=True)


@pytest.mark.parametrize("format", ["flac", "wav", "ogg"])
def test_sounds_stand_in_the_page_without_their_tag(tmp_path, format):
    wave = 0.5 * np.sin(np.arange(8000) * 0.1).astype(np.float32)
    save_audio(tmp_path / "a.wav", np.stack([wave, -wave], axis=1), 16000, {"model": "secret"})
    read, rate_hz = media.read_sound(tmp_path / "a.wav")
    assert read.shape == (8000, 2)
    uri = media.sound_uri(read, rate_hz, format)
    assert uri.startswith(f"data:audio/{format};base64,")
    assert b"secret" not in base64.b64decode(uri.partition(",")[2])
    again, rate_hz = decoded(uri, tmp_path)
    assert (again.shape, rate_hz) == ((8000, 2), 16000)
    if format != "ogg":
        assert np.abs(again - read).max() < 1e-4


def test_only_the_beginning_of_a_long_sound_is_read(tmp_path):
    save_audio(tmp_path / "a.wav", np.ones(16000) * 0.1, 8000)
    wave, _ = media.read_sound(tmp_path / "a.wav", 0.5)
    assert wave.shape == (4000,)


def test_pictures_say_their_size():
    drawn = media.spectrogram(np.sin(np.arange(8000) * 0.1), 8000, EVIL)
    values = dict(Reader(drawn).elements)["img"]
    assert values["alt"] == EVIL
    assert (int(values["width"]), int(values["height"])) == (520, 174)
