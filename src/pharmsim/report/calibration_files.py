"""The diagnosis of a calibration on disk: text, tables, pictures."""

from __future__ import annotations

from pathlib import Path

from pharmsim.calibration.diagnosis import Diagnosis, file_of
from pharmsim.report import calibration_figures
from pharmsim.report.calibration_text import markdown, with_words
from pharmsim.results.files import write_manifest
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.manifest import file_digest, made
from pharmsim.results.text import write_tables

KIND = "diagnosis"
TEXT = "diagnosis.md"


def write(found: Diagnosis, source: Path, folder: Path, force: bool = False, figures: bool = True) -> Path:
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
        tables = {"parameters": with_words(found), "targets": found.targets}
        write_tables({**tables, "prior_sensitivity": found.sensitivity}, partial)
        files = [{"path": kept.name, "sha256": file_digest(kept)}]
        write_manifest({**made(), "kind": KIND, "files": files}, partial)
    return folder
