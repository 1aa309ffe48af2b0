"""METEOR 1.5 (Denkowski and Lavie 2014) through its Java program, for those who have it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from audiojourney.errors import AudioJourneyError, MissingError
from audiojourney.metrics.text.corpus import Corpus

JAR = "meteor-1.5.jar"
LIMIT_S = 120.0  # the program reads its tables first, which takes half a minute on a slow machine
LIMIT_PER_CAPTION_S = 0.1
_HEAP = "-Xmx2G"
_FIELD = " ||| "


def find_jar(folder: Path | None = None) -> Path:
    """Return the program: in `folder`, or in the package pycocoevalcap.

    Raises:
        MissingError: it is in neither.
    """
    if folder is None:
        found = importlib.util.find_spec("pycocoevalcap")
        places = list(found.submodule_search_locations or ()) if found else []
        folder = Path(places[0]) / "meteor" if places else None
    if folder is None or not (folder / JAR).is_file():
        raise MissingError(
            f"METEOR needs {JAR}, which is {'not in ' + repr(str(folder)) if folder else 'not on this machine'}.",
            "Run: pip install pycocoevalcap",
        )
    return folder / JAR


def find_java() -> str:
    """Return the path of Java.

    Raises:
        MissingError: there is none.
    """
    java = shutil.which("java")
    if java is None:
        raise MissingError(
            f"METEOR needs Java 8 or newer to run {JAR}, and there is no `java` on PATH.", "Install one."
        )
    return java


def meteor(corpus: Corpus, folder: Path | None = None, limit_s: float | None = None) -> tuple[float, list[float]]:
    """METEOR of the corpus, from pooled counts, and of each item.

    Args:
        corpus: tokenised captions.
        folder: where the program lies, with its `data/paraphrase-en.gz`.
        limit_s: seconds after which the program is ended; None gives it `LIMIT_S` and more for many captions.

    Raises:
        MissingError: Java or the program is absent.
        AudioJourneyError: the program broke down, or took too long.
    """
    java, jar = find_java(), find_jar(folder)
    limit = limit_s if limit_s is not None else LIMIT_S + LIMIT_PER_CAPTION_S * len(corpus.sentences)
    command = [java, "-jar", _HEAP, str(jar), "-", "-", "-stdio", "-l", "en", "-norm"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    ) as program:
        watch = threading.Timer(limit, program.kill)
        watch.start()
        try:
            statistics = _ask(program, [_score_line(*item) for item in _items(corpus)], len(corpus))
            numbers = [float(line) for line in _ask(program, [_FIELD.join(["EVAL", *statistics])], len(corpus) + 1)]
        except (OSError, ValueError) as error:
            late = "" if watch.is_alive() else f" It was ended after {limit:g} s."
            raise AudioJourneyError(
                f"METEOR ({JAR}) broke down: {error}.{late}", "Does `java -version` work?"
            ) from error
        finally:
            watch.cancel()
            program.kill()
            with suppress(OSError):  # what was not read can no longer be written
                _stdin(program).close()
    return numbers[-1], numbers[:-1]


def _items(corpus: Corpus) -> list[tuple[str, list[str]]]:
    pairs = zip(corpus.candidates, corpus.references, strict=True)
    return [(" ".join(words), [" ".join(reference) for reference in item]) for words, item in pairs]


def _score_line(candidate: str, references: Sequence[str]) -> str:
    return _FIELD.join(["SCORE", *references, candidate])


def _ask(program: subprocess.Popen[str], lines: Sequence[str], answers: int) -> list[str]:
    """Write in a thread of its own: the program answers as it reads, and a full pipe would stop both."""
    assert program.stdout is not None, "the pipes were asked for"
    stdin = _stdin(program)

    def write() -> None:
        """Send all lines."""
        try:
            for line in lines:
                stdin.write(line + "\n")
            stdin.flush()
        except OSError:
            pass  # the reader below sees that the program has ended

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    found = [program.stdout.readline().strip() for _ in range(answers)]
    writer.join()
    if not all(found):
        raise OSError(f"{answers - sum(map(bool, found))} of {answers} answers are missing")
    return found


def _stdin(program: subprocess.Popen[str]) -> IO[str]:
    assert program.stdin is not None, "the pipes were asked for"
    return program.stdin
