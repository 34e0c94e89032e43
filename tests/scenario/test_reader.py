"""Files: sizes, encodings, paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pharmsim.errors import ScenarioError
from pharmsim.scenario import load
from pharmsim.scenario.reader import Folder, parse_yaml, read_csv, root_of


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    file.write_bytes(b"#" * 2_000_001)
    with pytest.raises(ScenarioError, match=r"must be at most 2 MB; it has 2\.0 MB"):
        load(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"name: \xff\xfe", "must be text in UTF-8; line 1 is not"),
        (b"name: a\x00b", "is not valid YAML"),
        (b"--- 1\n--- 2\n", "is not valid YAML"),
        (b"? [a, b]\n: 1\n", "keys must be short names"),
        (b"[" * 5000, "is not valid YAML"),
        (b"just text", "must be a mapping"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert message in str(caught.value)


def test_no_such_file_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ScenarioError, match="is a folder"):
        load(tmp_path)


def test_lines_and_plain_values() -> None:
    tree = parse_yaml(
        "a: 1\nb:\n  - 1e-3\n  - no\n  - 2025-10-01\nc: {d: null, e: true, 2024: 0x1F}\n", "f.yaml"
    )
    assert tree == {"a": 1, "b": [0.001, "no", "2025-10-01"], "c": {"d": None, "e": True, "2024": "0x1F"}}
    assert tree.lines == {"a": 1, "b": 2, "c": 6}
    assert tree["b"].lines == [3, 4, 5]


def test_few_aliases_are_fine_and_many_are_not() -> None:
    assert parse_yaml("a: &x 1\nb: *x\n", "f.yaml") == {"a": 1, "b": 1}
    with pytest.raises(ScenarioError, match="uses more than 100 aliases"):
        parse_yaml("a: &x 1\nb: [" + "*x," * 150 + "]\n", "f.yaml")


def test_root(tmp_path: Path) -> None:
    deep = tmp_path / "scenarios" / "town" / "what_if"
    deep.mkdir(parents=True)
    assert root_of(str(deep / "x.yaml")) == (tmp_path / "scenarios").resolve()
    assert root_of(str(tmp_path / "x.yaml")) == tmp_path.resolve()


def test_paths(tmp_path: Path) -> None:
    inside = tmp_path / "scenarios" / "town"
    inside.mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    (inside / "link.csv").symlink_to(tmp_path / "secret.csv")
    folder = Folder(root_of(str(inside / "x.yaml")))
    assert folder.resolve("../data/a.csv", str(inside / "x.yaml"))[1].name == "a.csv"
    for bad in ("../../secret.csv", "link.csv", "/etc/passwd", "C:\\x", "", None, 3, "a\0b"):
        with pytest.raises(ValueError, match="must"):
            folder.resolve(bad, str(inside / "x.yaml"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("a,b\n", "has a heading and no rows"),
        ("a,a\n1,2\n", "has the column `a` twice"),
        ("a,b\n1\n", "line 2 has 1 fields; the heading has 2"),
        ('a,b\n1,"2\n', "is not valid CSV"),
    ],
)
def test_bad_tables(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_csv(Folder(tmp_path), str(file))


def test_tables_keep_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('\ufeffa,b\n\n# note\n1,"x, y"\n 2 , z\n', encoding="utf-8")
    folder = Folder(tmp_path)
    assert read_csv(folder, str(file)) == (["a", "b"], [(4, ["1", "x, y"]), (5, ["2", "z"])])
    assert list(folder.files) == [str(file)]


def test_devices_and_pipes_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in (tmp_path / "pipe.yaml", "/dev/zero"):
        with pytest.raises(ScenarioError, match="is not a regular file") as caught:
            load(name)
        assert len(caught.value.problems) == 1
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ValueError, match="is not a regular file"):
        read_csv(Folder(tmp_path), str(tmp_path / "pipe.csv"))


def test_tables_have_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("role,value\n" + "nurse,1\n" * 200_001, encoding="utf-8")
    with pytest.raises(ValueError, match="must have at most 200,000 rows; line 200002 is one more"):
        read_csv(Folder(tmp_path), str(file))
    file.write_text("role,value\n" + "nurse,1\n" * 4_400_000, encoding="utf-8")
    with pytest.raises(ValueError, match=r"must be at most 10 MB; it has 35\.2 MB"):
        read_csv(Folder(tmp_path), str(file))
