"""The rules of the house, read from the sources. docs/background/architecture.md says why."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

import pharmsim

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "pharmsim"
ROOMS = (
    "errors", "quantities", "scenario", "compiled", "engine", "results", "published", "study",
    "calibration", "report", "examples", "cli",
)  # fmt: skip
"""A room may import itself and the rooms before it."""
LATER = {("results", "study"): {"results/reproduce.py"}}
"""Exceptions, inside a function only: making a run again needs the road that made it."""
MODULE_LINES, FUNCTION_LINES = 400, 60
FORBIDDEN = (
    r"/wo" r"rk/", r"/ro" r"ot/", r"/op" r"t/py", r"/ho" r"me/\w", r"pythonhost" r"ed", r"pypi\.or" r"g",
    r"^--(extra-)?index" r"-url", r"^--find" r"-links", r"local" r"host",
)  # fmt: skip
"""Paths and hosts of somebody's machine. Split, so that this file does not hold them."""


def modules() -> list[Path]:
    found = sorted(SRC.rglob("*.py"))
    assert len(found) > 30, "the glob found too little"
    return found


@lru_cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def tracked() -> list[Path]:
    """Files that are or will be in the repository; every file where git is not at hand."""
    try:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        folders = ("src", "tests", "docs", "scenarios", "scripts", "benchmarks")
        text = "\n".join(str(p.relative_to(ROOT)) for f in folders for p in (ROOT / f).rglob("*"))
    found = [ROOT / line for line in text.splitlines()]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def bad_imports(name: str, code: ast.Module) -> list[str]:
    """Imports of `name` (a path below pharmsim/) against the direction of the rooms."""
    room = name.split("/")[0].removesuffix(".py")
    if room not in ROOMS:
        return [f"{name} is in no room: put it into one of {', '.join(ROOMS)}"]
    inside = {id(n) for f in ast.walk(code) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    bad = []
    for node, target in imported(code):
        if target not in ROOMS:
            bad.append(f"{name}:{node.lineno} imports from pharmsim.{target}, which is in no room")
        elif ROOMS.index(target) > ROOMS.index(room) and not (
            id(node) in inside and name in LATER.get((room, target), ())
        ):
            bad.append(f"{name}:{node.lineno} {room} must not import {target}")
    return bad


def imported(code: ast.Module) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """The rooms a module imports, also through the public names of `import pharmsim`."""
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("pharmsim.")]
        elif isinstance(node, ast.ImportFrom) and node.module == "pharmsim":
            names = [
                pharmsim._HOME.get(a.name, f"pharmsim.{a.name}")
                for a in node.names
                if a.name != "__version__"
            ]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pharmsim."):
            names = [str(node.module)]
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "pharmsim"
        ):
            names = [pharmsim._HOME[node.attr]] if node.attr in pharmsim._HOME else []
        else:
            continue
        for name in names:
            yield node, name.split(".")[1]  # type: ignore[misc]


def test_imports_run_one_way() -> None:
    found = [(path.relative_to(SRC).as_posix(), path) for path in modules()]
    bad = [line for name, path in found if name != "__init__.py" for line in bad_imports(name, tree(path))]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize(
    ("name", "code", "n_bad"),
    [
        ("engine/x.py", "from pharmsim.results import rates", 1),
        ("engine/x.py", "def f():\n    import pharmsim.study.runs", 1),
        ("results/x.py", "def f():\n    import pharmsim\n    return pharmsim.run", 1),
        ("results/reproduce.py", "def f():\n    import pharmsim\n    return pharmsim.run", 0),
        ("results/reproduce.py", "from pharmsim.study import runs", 1),
        ("engine/x.py", "from pharmsim.attic import y", 1),
        ("study/x.py", "from pharmsim.engine import run\nfrom pharmsim import __version__", 0),
    ],
)
def test_imports_are_seen(name: str, code: str, n_bad: int) -> None:
    assert len(bad_imports(name, ast.parse(code))) == n_bad


def names_of_places() -> set[str]:
    """Names of roles, environments, places and posts of the South East London scenarios."""
    found: set[str] = set()
    files = sorted((ROOT / "scenarios" / "sel").glob("*.yaml"))
    assert files, "the glob found nothing"
    for file in files:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for axis in ("roles", "environments", "places"):
            found |= set(content.get(axis) or ())
        found |= {
            post["post"] for post in content.get("posts") or () if isinstance(post, dict) and "post" in post
        }
    return found


def test_no_name_of_a_role_or_place_in_the_program() -> None:
    names = names_of_places()
    assert {"hospital", "pharmacist"} <= names
    word = re.compile(r"\b(" + "|".join(sorted(map(re.escape, names))) + r")\b")
    assert word.search("x = 'hospital'")
    bad = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in modules()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if word.search(line)
    ]
    assert not bad, "\n".join(bad)


def long_functions(code: ast.Module) -> list[tuple[str, int, int]]:
    """Functions with their line and number of code lines: without the docstring, blank lines left in."""
    found = []
    for node in ast.walk(code):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            doc = 0 if ast.get_docstring(node) is None else first.end_lineno - first.lineno + 1  # type: ignore[operator]
            found.append((node.name, node.lineno, node.end_lineno - node.lineno + 1 - doc))  # type: ignore[operator]
    return found


def test_modules_and_functions_are_small() -> None:
    bad = []
    for path in modules():
        name, n_lines = path.relative_to(ROOT), len(path.read_text(encoding="utf-8").splitlines())
        if n_lines > MODULE_LINES:
            bad.append(f"{name}: {n_lines} lines; {MODULE_LINES} at most")
        for function, line, length in long_functions(tree(path)):
            if length > FUNCTION_LINES:
                bad.append(f"{name}:{line} {function}: {length} lines; {FUNCTION_LINES} at most")
    assert not bad, "\n".join(bad)


def test_formatting_changes_nothing() -> None:
    """`make format` leaves every file as it is, the table of quantities with one line each too."""
    command = [sys.executable, "-m", "ruff", "format", "--check", "src", "tests", "scripts", "benchmarks"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_long_functions_are_seen() -> None:
    code = 'def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n\n    return a\n'
    assert long_functions(ast.parse(code)) == [("f", 1, 4)]


def without_docstring(code: ast.Module) -> list[str]:
    """Public modules, classes, functions and methods without a docstring (properties included)."""
    missing = [] if ast.get_docstring(code) else ["the module"]
    for node in code.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            missing += [] if ast.get_docstring(node) else [node.name]
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    missing += [] if ast.get_docstring(inner) else [f"{node.name}.{inner.name}"]
    return missing


def test_public_names_have_docstrings() -> None:
    bad = [
        f"{path.relative_to(ROOT)}: {name}" for path in modules() for name in without_docstring(tree(path))
    ]
    assert not bad, "\n".join(bad)
    assert without_docstring(ast.parse("def f(): pass\nclass C:\n  'C.'\n  def g(self): pass")) == [
        "the module", "f", "C.g",
    ]  # fmt: skip


def scan(pattern: str, paths: list[Path], flags: int = 0) -> list[str]:
    """Lines of text files that match."""
    word, bad = re.compile(pattern, flags), []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        bad += [f"{path}:{n} {line.strip()[:100]}" for n, line in enumerate(lines, 1) if word.search(line)]
    return bad


def test_nothing_is_left_unfinished() -> None:
    marks = r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b"
    code = [path for path in tracked() if path.suffix in {".py", ".yaml", ".toml", ".md"}]
    assert len(code) > 60
    bad = scan(marks, code)
    assert not bad, "\n".join(bad)
    empty = [str(p.relative_to(ROOT)) for p in modules() if '"""..."""' in p.read_text(encoding="utf-8")]
    assert not empty, f"a docstring that says nothing: {empty}"


def test_no_path_or_host_of_a_machine() -> None:
    paths = tracked()
    assert ROOT / "pyproject.toml" in paths
    bad = [line for pattern in FORBIDDEN for line in scan(pattern, paths)]
    assert not bad, "\n".join(bad)


HOME_PATH = "".join(["/ho", "me/somebody/x"])


def test_scan_sees(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"fine\n{HOME_PATH}\n", encoding="utf-8")
    assert len([line for pattern in FORBIDDEN for line in scan(pattern, [tmp_path / "a.txt"])]) == 1


def test_public_names_import() -> None:
    packages = [path for path in modules() if "__all__" in path.read_text(encoding="utf-8")]
    assert packages, "the search found nothing"
    for path in packages:
        parts = path.relative_to(SRC.parent).with_suffix("").parts
        module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
        missing = [name for name in module.__all__ if not hasattr(module, name)]
        assert not missing, f"{module.__name__}: __all__ names {missing}, which cannot be imported"


def test_help_and_validation_import_no_numba() -> None:
    code = (
        "import sys, pharmsim, pharmsim.cli; pharmsim.load('scenarios/tiny.yaml'); "
        "print([m for m in ('numba', 'matplotlib', 'scipy', 'pyarrow', 'xarray') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", f"imported too early: {done.stdout}"


def shipped() -> list[Path]:
    found = sorted((ROOT / "scenarios").rglob("*.yaml"))
    return [path for path in found if "interventions" not in path.parts]


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_shipped_scenario_loads(path: Path) -> None:
    assert pharmsim.load(path).name


def test_scenarios_are_shipped() -> None:
    assert len(shipped()) >= 5


def test_changelog_is_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.findall(r"^## \[?(\d+\.\d+\.\d+)\]?", text, re.MULTILINE)
    assert found, "no version has a heading"
    assert found[0] == pharmsim.__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == pharmsim.__version__
    assert f'version = "{pharmsim.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def links(text: str) -> list[str]:
    """Targets of Markdown links to files."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return [target for target in found if not re.match(r"\w+:", target)]


def test_links_of_the_docs_lead_somewhere() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    assert len(pages) > 10
    bad = [
        f"{page.relative_to(ROOT)} → {target}"
        for page in pages
        for target in links(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not bad, "\n".join(bad)
    assert links("[a](b.md#c) [d](https://e.f) [g](h)") == ["b.md", "h"]
