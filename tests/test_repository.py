"""The repository keeps its own rules: who imports whom, what is documented, what the pages say."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from audiojourney import config
from audiojourney.cli import _reference
from audiojourney.cli._commands import COMMANDS
from audiojourney.cli.app import app
from tests.source_tree import (
    PACKAGE,
    ROOT,
    definitions,
    functions,
    imports,
    is_module,
    module_of,
    top_level_imports,
    trees,
)

# A layer imports those below it; packages of one layer do not import each other.
LAYERS = (("cli",), ("recipes",), ("training", "captions", "metrics"), ("models",), ("diffusion", "data"))
HEAVY = {"torch", "numpy", "transformers", "diffusers", "accelerate", "soundfile", "soxr", "rich", "huggingface_hub"}
_PATTERNS = ("*.md", "docs/**/*.md", "benchmarks/*.md", "examples/*")
PAGES = sorted(page for pattern in _PATTERNS for page in ROOT.glob(pattern) if page.is_file())
NAMED = re.compile(r"`((?:audiojourney|tests|docs|benchmarks)/[\w./]+\.(?:py|md|yaml))(?::(\w+))?`")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def level(package: str) -> int:
    """Return the height of a package; single files are at the bottom."""
    heights = {name: len(LAYERS) - number for number, names in enumerate(LAYERS) for name in names}
    return heights.get(package, 0)


def package_of(module: str) -> str:
    """Return the part of a module name after `audiojourney.`, empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def test_imports_point_downwards():
    wrong = []
    for path, tree in trees().items():
        own = package_of(module_of(path))
        if path in ("audiojourney/__init__.py", "audiojourney/__main__.py"):
            continue  # the doors of the house
        for name in imports(tree):
            other = package_of(name)
            inside = name.split(".")[0] == "audiojourney" and other
            if inside and other != own and level(other) >= level(own) > 0:
                wrong.append(f"{path} imports {name}")
            if inside and level(own) == 0 and level(other) > 0:
                wrong.append(f"{path} imports {name}")
    assert wrong == []


def test_every_module_that_is_imported_exists():
    absent = [
        f"{path} imports {name}"
        for path, tree in trees().items()
        for name in imports(tree)
        if name.split(".")[0] == "audiojourney" and not is_module(name)
    ]
    assert absent == []


def test_commands_load_nothing_heavy_at_their_top():
    light = [path for path in trees() if path.startswith("audiojourney/cli/") or path.count("/") == 1]
    wrong = [
        f"{path} imports {name}"
        for path in light
        for name in top_level_imports(trees()[path])
        if name.split(".")[0] in HEAVY
    ]
    assert wrong == []


def test_the_pocket_path_loads_no_transformers_no_diffusers_no_torchaudio():
    script = (
        "import sys, audiojourney.recipes.studio, audiojourney.recipes.generate, audiojourney.data.spectrogram\n"
        "import audiojourney.models.pocket.pipeline\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    unwanted = {"transformers", "diffusers", "torchaudio", "accelerate", "scipy", "pandas"}
    assert unwanted & set(done.stdout.split()) == set()


def test_every_preset_is_read_and_names_a_task():
    from audiojourney.training.tasks import settings_class

    assert config.preset_names()
    for name in config.preset_names():
        table = config.load_preset(name)
        if "task" in table:
            settings_class(table["task"])


def test_every_public_thing_is_documented():
    missing = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees().items()
        for node in definitions(tree)
        if not ast.get_docstring(node)
    ]
    assert missing == []
    assert [path for path, tree in trees().items() if not ast.get_docstring(tree)] == []


def test_every_argument_is_annotated():
    missing = []
    for path, tree in trees().items():
        for node in functions(tree):
            named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            missing += [
                f"{path}:{node.lineno} {node.name}({argument.arg})"
                for argument in named
                if argument.annotation is None and argument.arg not in ("self", "cls")
            ]
    assert missing == []


def test_no_default_can_be_changed():
    wrong = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees().items()
        for node in functions(tree)
        for default in [*node.args.defaults, *node.args.kw_defaults]
        if isinstance(default, ast.List | ast.Dict | ast.Set)
    ]
    assert wrong == []


def test_only_the_command_prints():
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        if not path.startswith("audiojourney/cli/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


SHAPE = re.compile(r"\((?:\.\.\.|[A-Z0-9]\w*),[^)]*\)|shape \(\)")


def test_every_forward_states_its_shapes():
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for node in functions(tree)
        if node.name == "forward" and not SHAPE.search(ast.get_docstring(node) or "")
    ]
    assert wrong == []


def test_errors_show_the_value():
    """A message that is a plain text tells nothing of what was given."""
    raised, plain = 0, []
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                raised += 1
                inner = [part for argument in node.exc.args for part in ast.walk(argument)]
                if not any(isinstance(part, ast.JoinedStr | ast.Name) for part in inner):
                    plain.append(f"{path}:{node.lineno}")
    assert len(plain) <= raised / 10, plain


def test_files_are_small():
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in trees()}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}
    assert sum(lines > 300 for lines in lengths.values()) <= len(lengths) / 20


def test_every_extra_that_is_offered_exists():
    extras = set(PROJECT["optional-dependencies"])
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*PACKAGE.rglob("*.py"), *PAGES])
    offered = set(re.findall(r"audiojourney\[(\w+)\]", text)) | set(re.findall(r"extra=\"(\w+)\"", text))
    assert offered - extras == set()
    assert "av" in offered


def test_every_dependency_is_explained():
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    names = {re.match(r"[\w-]+", requirement)[0] for group in groups for requirement in group}
    assert [name for name in sorted(names) if name.lower() not in page.lower()] == []
    assert [name for name in PROJECT["optional-dependencies"] if f"`{name}`" not in page] == []


def test_the_page_of_commands_is_up_to_date():
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == _reference.reference(), "run: make docs"


def shown_commands() -> list[tuple[str, str]]:
    """Return the `aj` lines of all code blocks, with the page they stand on."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        blocks = re.findall(r"```\w*\n(.*?)```", text, re.S) if page.suffix == ".md" else [text]
        found += [(page.name, line) for block in blocks for line in block.splitlines() if line.startswith("aj ")]
    return found


@pytest.mark.parametrize(("page", "line"), shown_commands())
def test_shown_commands_are_understood(page, line):
    words = shlex.split(line.partition(" #")[0].partition(" > ")[0].partition(" < ")[0].partition(" | ")[0])[1:]
    command, name = typer.main.get_command(app), "aj"
    context = command.make_context("aj", list(words), resilient_parsing=True)
    while hasattr(command, "get_command"):
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if not rest or command.get_command(context, rest[0]) is None:
            break
        command, name = command.get_command(context, rest[0]), rest[0]
        group = hasattr(command, "get_command")
        context = command.make_context(name, rest[1:], resilient_parsing=group)
    assert name in (*COMMANDS, *getattr(command, "commands", {}), command.name)


def test_links_lead_somewhere():
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    # Written by a long run of its own, not at every commit.
    assert [link for link in broken if not link.endswith(("pocket.md", "results.md"))] == []


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {page.name for page in ROOT.glob("docs/*.md")} - {"index.md"}
    assert pages - set(re.findall(r"\]\((\w+\.md)\)", index)) == set()


def is_there(path: str, name: str) -> bool:
    """Say whether a file exists and defines a name; pages that long runs write may be absent."""
    file = ROOT / path
    if not file.is_file():
        return path.endswith(("pocket.md", "results.md"))
    return not name or bool(re.search(rf"^(?:def|class) {name}\b", file.read_text(encoding="utf-8"), re.M))


def test_paths_and_names_in_the_pages_exist():
    found = [(page.name, *match) for page in PAGES for match in NAMED.findall(page.read_text(encoding="utf-8"))]
    assert len(found) > 30
    assert [entry for entry in found if not is_there(*entry[1:])] == []


def test_nothing_speaks_of_one_machine():
    machine = re.compile(r"/(?:work|root|home/\w+|tmp)/|\.\./shared|[A-Z]:\\\\Users")
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.yaml"), *PAGES, ROOT / "Makefile", ROOT / "pyproject.toml"]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if machine.search(line)
    ]
    assert found == []


def test_tests_have_the_markers_that_bare_pytest_leaves_out():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert {marker.partition(":")[0] for marker in settings["markers"]} == {"slow", "network", "gpu"}
    assert settings["xfail_strict"] is True
    assert "--strict-markers" in settings["addopts"]


def test_the_two_commands_stand_on_the_first_screen_of_the_readme():
    first = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:14]
    assert any(line.startswith("make sound") for line in first)
    assert any(line.startswith("make test") for line in first)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"sound:", "test:"} <= set(re.findall(r"^\w+:", makefile, re.M))
    assert "make test" in Path(ROOT / ".ci" / "run").read_text(encoding="utf-8")
