"""What the guide says of the register's calibration is what its posterior says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pharmsim.calibration.diagnosis import Diagnosis, diagnose, read
from pharmsim.report import calibration_text

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found() -> Diagnosis:
    return diagnose(read(ROOT / "calibration" / "posteriors" / "gb_register.nc"))


def test_the_guide_quotes_the_diagnosis(found: Diagnosis) -> None:
    guide = (ROOT / "docs" / "guides" / "trust_a_calibration.md").read_text(encoding="utf-8")
    for text in calibration_text.headlines(found):
        assert f"- {text}\n" in guide


def test_the_register_is_calibrated(found: Diagnosis) -> None:
    assert not len(calibration_text.poorly_mixed(found))
    assert calibration_text.inside(found.targets, 90).mean() > 0.8
