"""The log of single careers and what is read from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from careers_agreement import compiled

import pharmsim
from pharmsim.engine.careers.run import Output, run
from pharmsim.results import careers as log

TINY = pharmsim.tiny_scenario()


@pytest.fixture(scope="module")
def tiny() -> Output:
    return run(compiled(TINY), [(0, 0, r) for r in range(3)])


def test_the_log_tells_the_record(tiny: Output) -> None:
    events = tiny.careers.to_pandas()
    assert list(tiny.careers.column_names) == ["draw", "replicate", "person", "date", "event", "from", "to"]
    names = [p.post for p in TINY.posts]
    for date, month in (("2026-04-01", 0), ("2029-04-01", 36), ("2031-11-01", 67)):
        at = log.post_at(events, date).reset_index()
        counted = at.groupby(["replicate", "post"]).size().unstack(fill_value=0)[names].to_numpy()
        np.testing.assert_array_equal(counted, tiny.record["headcount"][:, month].sum(axis=(2, 3)))
    for event, name in (
        ("leaves", "leavers"),
        ("retires", "retirements"),
        ("starts", "joiners"),
        ("sits", "sat"),
    ):
        assert (events["event"] == event).sum() == tiny.record[name].sum(), event


def test_retention_by_name_counts_who_came_back(tiny: Output) -> None:
    events = tiny.careers.to_pandas()
    stays = log.retention(events, "2027-04-01", "2028-04-01", {p.post: "all" for p in TINY.posts})
    tagged, kept = (tiny.record[name][:, 1, -1].sum() for name in ("tagged", "kept"))
    assert stays["all"] >= kept / tagged
    assert stays["all"] == pytest.approx(kept / tagged, abs=0.03)


def test_tenure_and_hiring_times(tiny: Output) -> None:
    events = tiny.careers.to_pandas()
    stays = log.spells(events)
    assert set(stays["ended"].dropna()) <= {*log.INTO_POST, *log.OUT_OF_POST}
    curve = log.survival(stays, np.array([0.0, 1.0, 5.0]))
    assert 1.0 == curve[0] > curve[1] > curve[2] > 0.0
    times = log.hiring_times(tiny.vacancies.to_pandas())
    hired = times.xs("hired", level="ended")
    assert (hired["to_first_day"] - hired["open"]).between(2.0, 3.1).all()


def test_kaplan_and_meier_by_hand() -> None:
    stays = pd.DataFrame({"years": [1.0, 2.0, 3.0, 4.0], "end": pd.to_datetime(["2020", None, "2022", None])})
    np.testing.assert_allclose(log.survival(stays, np.array([0.5, 1.0, 2.5, 3.5])), [1.0, 0.75, 0.75, 0.375])


def test_where_trainees_are_later(tiny: Output) -> None:
    events = tiny.careers.to_pandas()
    began = events[(events["event"] == "enters_pipeline") & (events["date"] < "2027-01-01")]
    people = pd.MultiIndex.from_frame(began[log.PERSON])
    early, late = (log.whereabouts(events, people, date) for date in ("2026-12-01", "2036-01-01"))
    assert len(people) == tiny.record["entrants"][:, :9].sum()
    assert (early.isin(["in training", "dropped out of training"])).all()
    assert late.isin([p.post for p in TINY.posts]).mean() > 0.2
    assert not (late == "not yet there").any()


def test_the_log_is_read_back(tiny: Output, tmp_path: Path) -> None:
    log.write(tmp_path, tiny.careers, tiny.vacancies)
    events, vacancies = log.read(tmp_path)
    assert len(events) == len(tiny.careers)
    assert len(vacancies) == len(tiny.vacancies)
