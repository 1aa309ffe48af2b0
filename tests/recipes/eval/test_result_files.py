"""Files of results, of statistics and of tables: what is read back, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.metrics.conventions import AUDIOLDM_EVAL, OURS
from audiojourney.metrics.frechet import Gaussian, frechet_distance
from audiojourney.recipes.eval import show, stats
from audiojourney.recipes.eval.compare import differences
from audiojourney.recipes.eval.gates import parse_gate, unmet
from audiojourney.recipes.eval.networks import Network
from audiojourney.recipes.eval.result import EvalResult, FileRow, MetricRow, read_result

FAD = MetricRow(name="fad_pocket", value=2.0, low=1.5, high=2.5, n=(4, 4), better="lower", weights_hash="ab" * 32)
RESULT = EvalResult(metrics=(FAD, MetricRow(name="clap_laion", reason="no caption")), warnings=("few clips",))


def test_a_result_is_read_as_it_was_written(tmp_path):
    odd = FileRow(id="\udcff.wav", generated="g/\udcff.wav", scores={"kl_pocket": None, "clap_pocket": 0.25})
    result = replace(RESULT, files=(odd,), differences=differences(RESULT, RESULT), classes=({"name": "dog"},))
    result.write(tmp_path / "r.json")
    assert read_result(tmp_path / "r.json") == result


def test_keys_of_later_versions_are_ignored(tmp_path):
    table = RESULT.table() | {"aj_eval": 9, "mood": "good"}
    table["metrics"][0]["colour"] = "red"
    (tmp_path / "r.json").write_text(json.dumps(table), encoding="utf-8")
    assert read_result(tmp_path / "r.json") == RESULT


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON"),
        ("[]", "no result of aj eval"),
        ("{}", "no key 'aj_eval'"),
        ('{"aj_eval": 1, "metrics": 5}', r"metrics is '5'; expected a list of tables"),
        ('{"aj_eval": 1, "files": [3]}', r"files is '\[3\]'"),
        ('{"aj_eval": 1, "differences": null}', "differences is 'None'"),
        ('{"aj_eval": 1, "metrics": [{"name": "x", "value": NaN}]}', "NaN is no result"),
        ('{"aj_eval": 1, "metrics": [{"name": "x", "value": "y"}]}', r"metrics\[0\].value: got 'y'"),
    ],
)
def test_files_that_are_no_results(tmp_path, text, told):
    path = tmp_path / "r.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        read_result(path)
    with pytest.raises(MissingError, match="no result file"):
        read_result(tmp_path / "none.json")


@pytest.mark.parametrize("field", ("value", "low", "high"))
@pytest.mark.parametrize("number", (float("nan"), float("inf")))
def test_no_row_holds_what_is_no_number(field, number):
    with pytest.raises(AudioJourneyError, match="which is no result"):
        replace(FAD, **{field: number})
    with pytest.raises(AudioJourneyError, match="neither a value nor a reason"):
        MetricRow(name="fad_pocket")


def test_what_forbids_a_comparison_is_told():
    other = replace(FAD, value=3.0, weights_hash="", n=(), convention={"channels": "first", "rows": [4, 4]})
    (found, lone) = differences(RESULT, replace(RESULT, metrics=(other,)))
    assert (found.difference, found.comparable) == (-1.0, False)
    assert "other weights (none then, abababababab now)" in found.note
    assert "other numbers of clips (none then, 4 and 4 now)" in found.note
    assert "another convention (channels)" in found.note
    assert (lone.name, lone.note) == ("clap_laion", "not in the earlier result")
    same = differences(RESULT, RESULT)[0]
    assert (same.difference, same.comparable, same.note) == (0.0, True, "")


def test_a_difference_over_common_clips_has_an_interval():
    def of(shift, names):
        random = np.random.default_rng(3)
        files = [FileRow(id=name, scores={"clap_pocket": float(random.normal()) + shift}) for name in names]
        return EvalResult(metrics=(MetricRow(name="clap_pocket", value=shift, n=(len(files),)),), files=tuple(files))

    names = [f"c{number}" for number in range(20)]
    found = differences(of(0.5, names), of(0.0, names))[0]
    assert (found.low, found.high) == pytest.approx((0.5, 0.5))
    assert differences(of(0.5, names[:3]), of(0.0, names[:3]))[0].low is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fad_pocket>1", "fad_pocket is 2, > 1"),
        ("fad_pocket >= 2", "fad_pocket is 2, >= 2"),
        ("fad_pocket<2e0", ""),
        ("fad_pocket<=2", "fad_pocket is 2, <= 2"),
        ("clap_laion<0.2", "clap_laion<0.2 cannot be checked: no caption"),
        ("kl_pocket>1", "kl_pocket>1 cannot be checked: kl_pocket was not measured (fad_pocket was)"),
    ],
)
def test_gates(text, told):
    assert unmet([parse_gate(text)], RESULT) == ([told] if told else [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fad>1", "does not say which network"),
        ("fad_pockte>1", "Did you mean 'fad_pocket'"),
        ("fad_pocket=1", "is no condition"),
        ("fad_pocket>", "is no condition"),
        ("fad_pocket>nan", "is no condition"),
        ("fad_pocket>1e999", "'1e999' is no number"),
        ("fad_pocket>1.2.3", "'1.2.3' is no number"),
        ("fad_pocket>1; rm -r", "is no condition"),
    ],
)
def test_conditions_that_cannot_be_meant(text, told):
    with pytest.raises(UsageError, match=told):
        parse_gate(text)


def test_latex_has_true_minus_signs_and_escapes():
    rows = (
        replace(FAD, value=-3.5e-07, low=-1.0, high=0.5),
        MetricRow(name="kl_pocket", reason="none", better="higher"),
    )
    lines = show.to_latex(EvalResult(metrics=rows)).splitlines()
    assert lines[3] == r"fad\_pocket $\downarrow$ & $-$3.5e$-$07 & [$-$1, 0.5] & 4/4 \\"
    assert lines[4] == r"kl\_pocket $\uparrow$ & -- & -- & -- \\"
    assert show.latex(r"50% & {a}_\~^#$") == (r"50\% \& \{a\}\_\textbackslash{}\textasciitilde{}\textasciicircum{}\#\$")


class Listener:
    name = "pocket"


NETWORK = Network(Listener(), "pocket/listener", "ab" * 32)


def statistics(rows=40, width=6):
    gaussian = Gaussian.of_rows(np.random.default_rng(0).normal(size=(rows, width)))
    return stats.Statistics({("pocket", "fad"): gaussian}, {"pocket": "ab" * 32}, "ours", rows, "ref")


def test_statistics_are_read_as_they_were_written(tmp_path):
    kept = statistics()
    stats.write_statistics(tmp_path / "s.npz", kept)
    read = stats.read_statistics(tmp_path / "s.npz")
    assert (read.weights, read.convention, read.clips, read.source) == (kept.weights, "ours", 40, "ref")
    found = read.of(NETWORK, OURS)["fad"]
    assert found.rows == 40 and frechet_distance(found, kept.gaussians["pocket", "fad"]) == 0
    assert read.of(replace(NETWORK, embedder=type("Other", (), {"name": "vggish"})()), OURS) == {}
    with pytest.raises(UsageError, match="made by weights abababababab of pocket, and here are cdcd"):
        read.of(replace(NETWORK, sha256="cd" * 32), OURS)
    with pytest.raises(UsageError, match="convention 'ours', not 'audioldm_eval'"):
        read.of(NETWORK, AUDIOLDM_EVAL)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda g: replace(g, mean=g.mean * np.nan), "not finite"),
        (lambda g: replace(g, factor=np.full_like(g.factor, np.inf)), "not finite"),
        (lambda g: replace(g, mean=g.mean[:3]), r"mean \(3,\), factor \(6, 6\)"),
        (lambda g: replace(g, factor=g.factor[0]), r"factor \(6,\)"),
        (lambda g: replace(g, rows=1), "1 rows"),
        (lambda g: replace(g, rows=2.5), "2.5 rows"),
    ],
)
def test_statistics_of_no_set_are_refused(tmp_path, change, told):
    kept = statistics()
    gaussians = {key: change(gaussian) for key, gaussian in kept.gaussians.items()}
    stats.write_statistics(tmp_path / "s.npz", replace(kept, gaussians=gaussians))
    with pytest.raises(UsageError, match=rf"holds no statistics \(fad by pocket.*{told}"):
        stats.read_statistics(tmp_path / "s.npz")


@pytest.mark.parametrize("content", (b"", b"junk", b"PK\x03\x04 cut"))
def test_files_that_hold_no_statistics(tmp_path, content):
    (tmp_path / "s.npz").write_bytes(content)
    with pytest.raises(UsageError, match="holds no statistics"):
        stats.read_statistics(tmp_path / "s.npz")
    with pytest.raises(MissingError, match="no file of statistics"):
        stats.read_statistics(tmp_path / "none.npz")
