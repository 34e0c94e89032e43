"""The wheel works without the checkout: build, install into a folder, run the commands elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def call(*words: str | Path, cwd: Path, **env: str) -> str:
    """Run a program and return what it printed; its error is shown when it fails."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    found = list(folder.glob("*.whl"))
    assert len(found) == 1
    return found[0]


class Installed:
    """pharmsim from the wheel, beside the packages of this environment, in a folder of its own."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.site, self.home = folder / "site", folder / "home"
        self.home.mkdir()
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target")
        call(*pip, self.site, wheel, cwd=self.home)

    def python(self, code: str, **env: str) -> str:
        # The folder stands before this environment's own packages, and so before the checkout.
        env |= {"PYTHONPATH": str(self.site), "PHARMSIM_CACHE": str(self.home / "cache")}
        return call(sys.executable, "-c", code, cwd=self.home, **env)

    def pharmsim(self, *words: str, **env: str) -> str:
        return self.python(
            f"import sys; from pharmsim.cli import main; sys.argv[1:] = {words!r}; main()", **env
        )


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(wheel, tmp_path_factory.mktemp("elsewhere"))


def test_wheel_holds_program_scenarios_and_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "pharmsim/py.typed" in names
    scenarios = [
        path for path in (ROOT / "scenarios").rglob("*") if path.suffix in (".yaml", ".csv", ".json")
    ]
    assert len(scenarios) > 80
    assert {f"pharmsim/{path.relative_to(ROOT).as_posix()}" for path in scenarios} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    strange = [name for name in names if not name.startswith(("pharmsim/", "pharmsim-"))]
    assert not strange
    assert not [name for name in names if "__pycache__" in name or name.startswith("pharmsim/tests")]


def test_program_is_the_installed_one(installed: Installed) -> None:
    place = Path(installed.python("import pharmsim; print(pharmsim.__file__)").strip())
    assert place == installed.site / "pharmsim" / "__init__.py"
    assert "pharmsim" in installed.pharmsim("--version")


def test_new_validate_run(installed: Installed) -> None:
    made = installed.pharmsim("new", "my_place", "--example", "tiny")
    file = "my_place/tiny.yaml"
    assert "tiny.yaml" in made
    text = (installed.home / file).read_text(encoding="utf-8")
    assert "end: April 2036" in text
    short = text.replace("end: April 2036", "end: April 2027")
    (installed.home / file).write_text(short, encoding="utf-8")
    assert "valid" in installed.pharmsim("validate", file)
    # Compiling takes a minute in a new folder; one year is quicker without.
    installed.pharmsim("run", file, "--draws", "1", "--out", "first", NUMBA_DISABLE_JIT="1")
    assert (installed.home / "first" / "manifest.json").is_file()
    assert list((installed.home / "first").rglob("*.png"))


@pytest.mark.verify
def test_compiled_run_and_again(installed: Installed) -> None:
    installed.pharmsim("new", "compiled", "--example", "tiny")
    installed.pharmsim("run", "compiled/tiny.yaml", "--draws", "2", "--out", "compiled_run", "--no-figures")
    assert list((installed.home / "cache").rglob("*.nbc"))
    assert "bit for bit" in installed.pharmsim("reproduce", "compiled_run")


def test_default_example_is_a_whole_place(installed: Installed) -> None:
    """All its files are copied, and those that rest on each other and on the library are valid there."""
    installed.pharmsim("new", "another")
    copy, there = installed.home / "another", ROOT / "scenarios" / "sel"
    found, wanted = ({path.relative_to(top) for path in top.rglob("*.*")} for top in (copy, there))
    assert wanted <= found
    installed.pharmsim("validate", "another/programme/combined.yaml")


def test_named_function_works_anywhere(installed: Installed) -> None:
    assert installed.python("import pharmsim; print(pharmsim.tiny_scenario().name)").strip() == "Tiny"
