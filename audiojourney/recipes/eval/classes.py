"""Scores of a classifier measured against labels."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiojourney.data.manifest import read_clips
from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.base import Result
from audiojourney.metrics.classification import Classification, classification
from audiojourney.metrics.rows import pair
from audiojourney.recipes.eval.result import FileRow, MetricRow
from audiojourney.recipes.eval.rows import metric_row
from audiojourney.recipes.eval.settings import EvalConfig
from audiojourney.recipes.eval.texts import read_rows

NAMES = ("map", "map_all_classes", "map_micro", "map_weighted", "map_samples", "mauc", "d_prime", "accuracy")
_WHY_NOT = {
    "d_prime": "a classifier that is always or never right has none",
    "mauc": "no class has both positive and negative clips",
}


@dataclass(frozen=True)
class Scores:
    """A table of clips and classes.

    Attributes:
        ids: n clips.
        classes: names of K classes.
        values: shape (n, K).
        targets: 0 and 1, shape (n, K), or None where the file does not hold them.
    """

    ids: tuple[str, ...]
    classes: tuple[str, ...]
    values: np.ndarray
    targets: np.ndarray | None = None


def measure_classes(
    config: EvalConfig, generated: str, reference: str
) -> tuple[list[MetricRow], list[FileRow], list[dict[str, Any]]]:
    """Measure a file of scores against labels: a data folder, a manifest, or a table like that of the scores.

    Raises:
        MissingError: a file is absent, or nothing says which classes are right.
        UsageError: tables that cannot be read, or ids or classes that do not fit.
    """
    scores = read_scores(Path(generated).expanduser())
    targets = _targets(scores, reference, config.allow_missing)
    kept = np.flatnonzero(targets[:, 0] >= 0)[: config.limit]
    ids = [scores.ids[i] for i in kept]
    found = classification(targets[kept], scores.values[kept], ids)
    rows = [_row(name, getattr(found, name), found, len(kept)) for name in NAMES]
    top = scores.values[kept].argmax(axis=1)
    labels = [[scores.classes[k] for k in np.flatnonzero(row)] for row in targets[kept]]
    files = [
        FileRow(
            id=name,
            label=", ".join(labels[i]),
            scores={"right": float(scores.classes[top[i]] in labels[i])},
            notes=(f"heard as {scores.classes[top[i]]}",),
        )
        for i, name in enumerate(ids)
    ]
    return rows, files, _class_rows(scores.classes, found)


def read_scores(path: Path) -> Scores:
    """Read scores: `.npz` (`ids`, `classes`, `scores`, and perhaps `targets`), or a table with a row a clip.

    In a `.csv` or `.tsv` every column but the first, `id`, is a class; in a `.jsonl` a row has an `id` and `scores` by
    class.

    Raises:
        MissingError: there is no such file.
        UsageError: it holds something else.
    """
    if not path.is_file():
        raise MissingError(f"There is no file of scores {str(path)!r}.")
    if path.suffix.lower() == ".npz":
        return _npz(path)
    tables = [(where, *_scores_of(row, where)) for where, row in read_rows(path)]
    if not tables:
        raise UsageError(f"{str(path)!r} holds {len(tables)} rows of scores.")
    classes = tuple(tables[0][2])
    for where, _, table in tables:
        if table.keys() != set(classes):
            odd = sorted(table.keys() ^ set(classes))
            raise UsageError(f"{where} has other classes than the first row: {odd[:5]}.")
    values = np.array([[table[name] for name in classes] for _, _, table in tables], np.float64)
    return Scores(tuple(name for _, name, _ in tables), classes, values)


def _scores_of(row: dict[str, Any], where: str) -> tuple[str, dict[str, float]]:
    left = dict(row)
    name = str(left.pop("id", "") or left.pop("file_name", "") or "")
    scores = left.get("scores", left)
    if not name or not isinstance(scores, dict) or not scores:
        raise UsageError(f"{where} is no row of scores: an 'id' and a number for each class are needed.")
    return name, {str(key): _score(value, f"{where}, {key}") for key, value in scores.items()}


def _score(value: Any, where: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: the score is {value!r}; expected a number.") from error


def _npz(path: Path) -> Scores:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            values = np.asarray(loaded["scores"], np.float64)
            ids = tuple(map(str, loaded["ids"])) if "ids" in loaded else tuple(map(str, range(len(values))))
            classes = loaded["classes"] if "classes" in loaded else range(values.shape[1])
            targets = np.asarray(loaded["targets"]) if "targets" in loaded else None
    except (KeyError, IndexError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{str(path)!r} holds no scores ({error}).", "It needs ids, classes and scores.") from error
    if values.shape != (len(ids), len(classes)):
        raise UsageError(f"{str(path)!r}: scores of shape {values.shape}, {len(ids)} ids, {len(classes)} classes.")
    return Scores(ids, tuple(map(str, classes)), values, targets)


def _targets(scores: Scores, reference: str, allow_missing: bool) -> np.ndarray:
    """Return 0 and 1 for each row of the scores, shape (n, K); -1 in rows of clips without labels."""
    if not reference:
        if scores.targets is None:
            raise MissingError(f"Nothing says what is heard in {len(scores.ids)} clips.", "aj eval SCORES LABELS")
        return scores.targets
    path = Path(reference).expanduser()
    known = _table_targets(scores, path) if path.suffix.lower() == ".npz" else _labels(scores, path)
    try:
        pairs = pair(list(known), scores.ids, allow_missing=allow_missing)
    except UsageError as error:
        common = known.keys() & {*scores.ids}
        raise UsageError(error.message, "--allow-missing measures the common ones." if common else "") from error
    targets = np.full((len(scores.ids), len(scores.classes)), -1)
    for name, place in zip(pairs.ids, pairs.generated, strict=True):
        targets[place] = known[name]
    return targets


def _table_targets(scores: Scores, path: Path) -> dict[str, np.ndarray]:
    table = read_scores(path)
    if table.classes != scores.classes:
        raise UsageError(f"{str(path)!r} has other classes than the scores: {sorted({*table.classes})[:5]}...")
    return dict(zip(table.ids, table.values, strict=True))


def _labels(scores: Scores, path: Path) -> dict[str, np.ndarray]:
    """Return 0 and 1 by id from the labels of a manifest."""
    places = {name: place for place, name in enumerate(scores.classes)}
    known: dict[str, np.ndarray] = {}
    strange: set[str] = set()
    for clip in read_clips(path):
        row = np.zeros(len(places), int)
        strange |= {label for label in clip.labels if label not in places}
        row[[places[label] for label in clip.labels if label in places]] = 1
        known[clip.id] = row
    if strange:
        raise UsageError(f"{len(strange)} labels in {str(path)!r} are no class of the scores: {sorted(strange)[:5]}.")
    return known


def _row(name: str, value: float | None, found: Classification, clips: int) -> MetricRow:
    with_positives = sum(count > 0 for count in found.positives)
    convention = {"classes": len(found.positives), "classes_with_positives": with_positives}
    reason = "" if value is not None else _WHY_NOT.get(name, "no clip is positive for any class")
    return metric_row(
        Result(name=name, value=value, reason=reason, count=(clips,), convention=convention), None, "higher"
    )


def _class_rows(classes: tuple[str, ...], found: Classification) -> list[dict[str, Any]]:
    columns = zip(found.positives, found.ap_per_class, found.auc_per_class, found.accuracy_per_class, strict=True)
    return [
        {"name": name, "clips": clips, "average_precision": ap, "auc": auc, "accuracy": accuracy}
        for name, (clips, ap, auc, accuracy) in zip(classes, columns, strict=True)
    ]
