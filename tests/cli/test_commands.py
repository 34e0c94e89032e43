"""The commands: what they print, write and return."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pharmsim import cli, examples
from pharmsim.scenario import shipped

TINY = shipped("tiny.yaml")
WHAT_IF = shipped("tiny_what_if.yaml")
HEAVY = ("numba", "numpy", "pandas", "xarray", "matplotlib", "scipy", "pyarrow", "pydantic")


def call(*words: object) -> int:
    return cli.call([str(word) for word in words])


def imported(*words: object) -> tuple[set[str], str]:
    """Heavy packages that a command imports in a fresh Python, and what it printed."""
    program = (
        "import sys; from pharmsim import cli; code = cli.call(sys.argv[1:]); "
        f"print('IMPORTED', *({set(HEAVY)!r} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True, check=True
    )
    text, _, names = done.stdout.rpartition("IMPORTED")
    return set(names.split()), text


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert call("run", TINY, "--draws", 2, "--seed", 5, "--out", folder, "--no-figures") == 0
    return folder


# -- quick commands -----------------------------------------------------------------------------------------


def test_help_lists_the_commands_and_imports_nothing_heavy() -> None:
    found, text = imported("--help")
    assert not found
    for word in ("new", "validate", "describe", "schema", "run", "reproduce", "compare", "report", "diagram"):
        assert f"  {word} " in text
    found, text = imported("run", "--help")
    assert found <= {"pydantic"}  # with which typer reads options
    assert "--no-figures" in text


@pytest.mark.parametrize("words", [("validate", TINY), ("schema",)])
def test_quick_commands_do_not_import_the_engine(words: tuple[object, ...]) -> None:
    found, text = imported(*words)
    assert "numba" not in found
    assert not found & {"pandas", "xarray", "matplotlib"}
    assert text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--version") == 0
    assert capsys.readouterr().out.startswith("pharmsim 0.")


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "pharmsim scenario"


def test_describe_as_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("describe", TINY) == 0
    text = capsys.readouterr().out
    assert "uncertainties" in text
    assert "tiny.yaml:" in text
    assert call("describe", TINY, "--json") == 0
    assert json.loads(capsys.readouterr().out)["scenario"]["name"] == "Tiny"


def test_examples_are_validated(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of those that are listed."""
    listed = examples.scenario_files()
    assert len(listed) > 40
    assert {TINY, WHAT_IF} < set(listed)
    assert not [path for path in listed if path.parent.name == "interventions"]
    monkeypatch.setattr(examples, "scenario_files", lambda: [TINY, WHAT_IF])
    assert call("validate-examples") == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split(": valid;")[0] for line in shown] == [str(TINY), str(WHAT_IF)]


@pytest.mark.verify
def test_every_example_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("validate-examples") == 0
    assert capsys.readouterr().out.count(": valid;") == len(examples.scenario_files())


def test_an_intervention_is_validated_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "set_a.yaml"
    text = (
        "title: Set A\nlevel: team\ncategory: retain\noutcome: {measure: leaver_rate, direction: down}\n"
        "effects:\n  - {quantity: leaving, times: {value: 0.9, low: 0.8, high: 1}, evidence: assumption}\n"
    )
    file.write_text(text, encoding="utf-8")
    assert call("validate", file) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{file}: 1 problem",
        "  line 6  effects[0].times: must have a `source`: where it is from, or whose assumption it is",
    ]
    file.write_text(text.replace("assumption}", "assumption, source: made up}"), encoding="utf-8")
    assert call("validate", file, TINY) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"{file}: valid; intervention 'Set A', team, retain"
    assert shown[1].startswith(f"{TINY}: valid; 'Tiny'")
    assert call("run", file) == 2
    assert "is an intervention, not a scenario" in capsys.readouterr().err


def test_new_copies_an_example_that_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("new", tmp_path / "mine", "--example", "tiny") == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "mine" / "tiny.yaml")]
    assert call("validate", tmp_path / "mine" / "tiny.yaml") == 0
    assert call("new", tmp_path / "mine", "--example", "tiny") == 2
    error = capsys.readouterr().err
    assert "must be a new or an empty folder" in error
    assert "--" not in error
    assert call("new", tmp_path / "other", "--example", "tyni") == 2
    assert "Closest: tiny" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_new_copies_a_folder_with_its_tables(tmp_path: Path) -> None:
    assert call("new", tmp_path / "mine") == 0
    assert list((tmp_path / "mine" / "data").glob("*.csv"))
    assert call("validate", tmp_path / "mine" / "baseline.yaml") == 0


def test_diagram_writes_svg_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "d.svg"
    assert call("diagram", TINY, "--out", target) == 0
    assert target.read_text(encoding="utf-8").startswith("<svg")
    assert call("diagram", TINY, "--out", target) == 2
    assert "must not exist yet" in capsys.readouterr().err
    assert call("diagram", TINY, "--out", target, "--force") == 0


# -- mistakes -----------------------------------------------------------------------------------------------


def test_bad_input_is_a_message_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\nstart: yesterday\n")
    for words in (("validate", bad), ("run", bad), ("describe", bad), ("diagram", bad)):
        assert call(*words) == 2
        shown = capsys.readouterr()
        assert "bad.yaml" in shown.err
        assert "line 2" in shown.err
        assert "Traceback" not in shown.err + shown.out
    assert call("reproduce", tmp_path) == 2
    assert "must be a results folder" in capsys.readouterr().err


def test_problems_of_all_files_are_shown_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("name: x\n")
    assert call("validate", tmp_path / "one.yaml", TINY, tmp_path / "two.yaml") == 2
    shown = capsys.readouterr()
    assert "one.yaml" in shown.err
    assert "two.yaml" in shown.err
    assert f"{TINY}: valid" in shown.out


@pytest.mark.parametrize(
    "words", [("run",), ("run", TINY, "--drwas", 3), ("rn", TINY), ("run", TINY, "--draws")]
)
def test_wrong_words_have_exit_code_2(words: tuple[object, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words) == 2
    assert "Error" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--draws", "x"), "--draws — must be a whole number — got x — see pharmsim run --help"),
        (("--draws", -1), "--draws — must be greater than or equal to 0 — got -1 — see pharmsim run --help"),
        (("--engine", "x"), "--engine — must be cohort, chain or careers — got x — see pharmsim run --help"),
        (
            ("--engine", "chain", "--replicates", 10**14),
            f"--replicates — must be less than or equal to 100000 — got {10**14} — see pharmsim run --help",
        ),
    ],
)
def test_a_wrong_value_of_an_option_is_told_as_other_bad_input(
    words: tuple[object, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", TINY, *words) == 2
    assert capsys.readouterr().err.strip() == said


def test_debug_shows_where_an_error_arose(tmp_path: Path) -> None:
    from pharmsim.errors import ScenarioError

    with pytest.raises(ScenarioError):
        call("validate", tmp_path / "none.yaml", "--debug")


# -- runs ---------------------------------------------------------------------------------------------------


def test_a_run_is_summarised_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", TINY, "--out", tmp_path / "run") == 0
    text = capsys.readouterr().out
    assert "headcount" in text
    assert "stability" in text
    assert f"files: {tmp_path / 'run'}" in text
    assert (tmp_path / "run" / "figures" / "headcount.png").is_file()
    assert (tmp_path / "run" / "figures" / "diagram.svg").is_file()
    made = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert [Path(entry["path"]).name for entry in made["files"]] == ["tiny.yaml"]


def test_the_folder_is_named_after_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("run", TINY, "--no-figures") == 0
    assert (tmp_path / "results" / "tiny" / "results.nc").is_file()
    assert call("run", TINY, "--no-figures") == 2
    assert "--force" in capsys.readouterr().err
    assert call("run", TINY, "--no-figures", "--force", "--step", "month/2") == 0
    made = json.loads((tmp_path / "results" / "tiny" / "manifest.json").read_text(encoding="utf-8"))
    assert made["step"] == "month/2"


def test_reproduce_is_0_when_equal_and_1_when_not(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("reproduce", run_folder) == 0
    assert "bit for bit" in capsys.readouterr().out
    from pharmsim.results import netcdf

    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("manifest.json", "scenario.json", "results.nc"):
        (copy / name).write_bytes((run_folder / name).read_bytes())
    data = netcdf.read(run_folder / "draws.nc")
    data["fte"][2, 1, 1] += 1e-9
    netcdf.write(data, copy / "draws.nc")
    assert call("reproduce", copy) == 1
    shown = capsys.readouterr().out
    assert "NOT reproduced; 1 of" in shown
    assert "first: fte at draw 2" in shown


def test_compare_writes_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "compared"
    words = ("compare", TINY, WHAT_IF, "--draws", 20, "--out", folder, "--no-figures")
    assert call(*words, "--dates", "31 March 2030, 2031") == 0
    shown = capsys.readouterr()
    assert "second lines: 5 to 95 % of draws" in shown.out
    assert "Apr 2030" in shown.out
    assert "Jan 2032" in shown.out
    assert "no-attribution" not in shown.err  # nothing to share out
    assert (folder / "differences.csv").is_file()
    assert call("compare", TINY, WHAT_IF, "--out", folder) == 2


def test_compare_tells_the_problems_of_all_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("name: x\n")
    assert call("compare", TINY, tmp_path / "one.yaml", tmp_path / "two.yaml") == 2
    shown = capsys.readouterr().err
    assert "one.yaml" in shown
    assert "two.yaml" in shown


def test_compare_says_what_is_wrong_with_draws_and_dates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "compared"
    assert call("compare", TINY, WHAT_IF, "--draws", 3, "--out", folder) == 2
    assert "no difference is shown without its interval — got 3 — type --draws 256" in capsys.readouterr().err
    words = ("compare", TINY, WHAT_IF, "--draws", 20, "--out", folder)
    assert call(*words, "--dates", "2020, later") == 2
    shown = capsys.readouterr().err
    assert "must be after the start, 2026-04-01" in shown
    assert "got `later`" in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_its_blocks(
    tmp_path: Path, run_folder: Path, number: signal.Signals
) -> None:
    program = [sys.executable, "-c", "from pharmsim.cli import main; main()"]
    process = subprocess.Popen(
        [*program, "run", str(TINY), "--draws", "4000", "--out", str(tmp_path / "run")],
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob(".run.partial-*")) and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be interrupted"
        time.sleep(0.002)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors.decode()
    assert [path.name for path in tmp_path.iterdir()] == [".run.blocks"]
    assert b"Traceback" not in errors
