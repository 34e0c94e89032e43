"""The diagnosis of a calibration on disk: text, tables, pictures."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pharmsim import __version__
from pharmsim.calibration.diagnosis import Diagnosis, file_of
from pharmsim.report import calibration_figures
from pharmsim.report.calibration_text import markdown, with_words
from pharmsim.results.files import write_manifest
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.manifest import file_digest
from pharmsim.results.text import write_csv

KIND = "diagnosis"
TEXT = "diagnosis.md"


def write(
    found: Diagnosis,
    source: Path,
    folder: Path,
    force: bool = False,
    figures: bool = True,
    command: Iterable[str] | None = None,
) -> Path:
    """Write the diagnosis of a calibration: all of it or nothing.

    Parameters
    ----------
    found : Diagnosis
    source : Path
        Results folder of the calibration, or its posterior.
    folder : Path
    force : bool
        Replace a diagnosis that is there.
    figures : bool
    command : iterable of str, optional
        Words of the command; by default those of this process.

    Returns
    -------
    Path
        diagnosis.md, parameters.csv, targets.csv, prior_sensitivity.csv, figures/, manifest.json.
    """
    kept = file_of(source)
    with complete_or_nothing(folder, force) as partial:
        drawn = calibration_figures.write(found, partial / "figures") if figures else []
        text = markdown(found, [path.relative_to(partial).as_posix() for path in drawn])
        (partial / TEXT).write_text(text, encoding="utf-8")
        write_csv(with_words(found), partial / "parameters.csv")
        write_csv(found.targets, partial / "targets.csv")
        write_csv(found.sensitivity, partial / "prior_sensitivity.csv")
        words = list(command) if command is not None else [Path(sys.argv[0]).name, *sys.argv[1:]]
        made = {
            "pharmsim": __version__, "kind": KIND, "command": words,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": [{"path": kept.name, "sha256": file_digest(kept)}],
        }  # fmt: skip
        write_manifest(made, partial)
    return folder
