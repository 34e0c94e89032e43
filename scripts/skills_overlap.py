"""Compute the overlap of skills between posts from the transcription of a skills map.

    python scripts/skills_overlap.py [FOLDER]

reads ``skills_map.csv`` (row, post, statement), ``skills_same.csv`` (statements that say the same) and
``skills_like.csv`` (posts that the map leaves out, and the post whose skills they are taken to have),
and writes ``skills_overlap.csv``: share of the statements of the post `to` that the post `from` has.

The first four rows of the printed map differ from column to column and are used as printed. Its later
rows repeat the same three cells, one for each role, across all columns, and lose the order of the
columns on the way. They are read as what everybody of a role has: the statements of the role's column
in the block of columns that comes first. `docs/background/sel_baseline.md` says what this changes.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

PRINTED_ROWS = 4
NOTHING = {"No information on pharmacy assistants"}
SOURCE = "computed by scripts/skills_overlap.py from skills_map.csv"
Skills = dict[str, frozenset[str]]


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def skills(folder: Path, *, printed_only: bool = False) -> Skills:
    """Return the statements of every post, equal ones under one wording.

    Parameters
    ----------
    folder : Path
        Folder of the three tables.
    printed_only : bool
        Leave out the later rows, which are read as common to the role.

    Returns
    -------
    dict of frozenset
        Statements by post.
    """
    same = {row["statement"]: row["same_as"] for row in read(folder / "skills_same.csv")}
    cells = [row for row in read(folder / "skills_map.csv") if row["statement"] not in NOTHING]
    posts = list(dict.fromkeys(row["post"] for row in cells))
    first = {role_of(post): post for post in reversed(posts)}
    found: dict[str, set[str]] = {post: set() for post in posts}
    for row in cells:
        statement = same.get(row["statement"], row["statement"])
        if int(row["row"]) <= PRINTED_ROWS:
            found[row["post"]].add(statement)
        elif not printed_only and first[role_of(row["post"])] == row["post"]:
            for post in posts:
                if role_of(post) == role_of(row["post"]):
                    found[post].add(statement)
    for row in read(folder / "skills_like.csv"):
        found[row["post"]] = found[row["like"]]
    return {post: frozenset(statements) for post, statements in found.items()}


def role_of(post: str) -> str:
    """Return the role in the name of a post: its last word."""
    return post.rsplit("_", 1)[-1]


def overlap(have: Skills, start: str, to: str) -> float:
    """Return the share of the statements of `to` that `start` has."""
    return len(have[start] & have[to]) / len(have[to])


def main(folder: Path) -> None:
    """Write ``skills_overlap.csv`` for all pairs of posts of one role."""
    have = skills(folder)
    rows = [
        [start, to, f"{overlap(have, start, to):.4f}", SOURCE, "derived"]
        for start in have
        for to in have
        if start != to and role_of(start) == role_of(to)
    ]
    with (folder / "skills_overlap.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([["from", "to", "share", "source", "evidence"], *rows])
    print(f"{folder / 'skills_overlap.csv'}: {len(rows)} pairs of posts")


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here / "scenarios" / "sel" / "data")
