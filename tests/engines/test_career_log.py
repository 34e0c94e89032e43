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
START, END = "2026-04-01", "2036-04-01"


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
    stays = log.spells(events, END)
    assert set(stays["ended"].dropna()) <= {*log.INTO_POST, *log.OUT_OF_POST}
    curve = log.survival(stays, np.array([0.0, 1.0, 5.0]))
    assert 1.0 == curve[0] > curve[1] > curve[2] > 0.0
    vacancies = tiny.vacancies.to_pandas()
    times = log.hiring_times(vacancies, START, END)
    hired = times.xs("hired", level="ended")
    assert (hired["to_first_day"] - hired["open"]).between(2.0, 3.1).all()
    at_start = (vacancies["opened"] == pd.Timestamp(START)).sum()
    assert times["number"].sum() == len(vacancies) - at_start
    assert times.xs("open", level="ended")["number"].sum() == vacancies["closed"].isna().sum()
    np.testing.assert_allclose(times.groupby("post")["share"].sum(), 1.0)


def test_what_lasts_at_the_end_lasts_until_the_run_ends_not_until_the_last_event() -> None:
    events = pd.DataFrame(
        {
            "draw": 0, "replicate": 0, "person": ["a"], "date": pd.to_datetime(["2027-04-01"]),
            "event": ["starts"], "from": [""], "to": ["ward"],
        }
    )  # fmt: skip
    assert log.spells(events, "2031-04-01")["years"].tolist() == pytest.approx([4.0], abs=0.01)


def test_kaplan_and_meier_by_hand() -> None:
    stays = pd.DataFrame({"years": [1.0, 2.0, 3.0, 4.0], "end": pd.to_datetime(["2020", None, "2022", None])})
    np.testing.assert_allclose(log.survival(stays, np.array([0.5, 1.0, 2.5, 3.5])), [1.0, 0.75, 0.75, 0.375])
    both = pd.DataFrame({"years": [1.0, 1.0], "end": pd.to_datetime([None, "2020"])})
    np.testing.assert_allclose(log.survival(both, np.array([0.5, 1.0])), [1.0, 0.5])


def vacancies_of(months: list[tuple[float, float, str]], end: float) -> pd.DataFrame:
    """A log with vacancies that opened and closed so many months after the start, or are open at the end."""
    day = pd.to_timedelta(log.MONTH, unit="s")
    start = pd.Timestamp(START)
    rows = [
        {"post": "ward", "opened": start + opened * day,
         "closed": start + closed * day if closed <= end else pd.NaT,
         "ended": how if closed <= end else "open", "first_day": start + (closed + 2) * day
         if how == "hired" and closed <= end else pd.NaT}
        for opened, closed, how in months
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_vacancies_still_open_count_by_what_is_known_of_them() -> None:
    """By hand: lengths 1, 2 (open still), 3, 4 months; the one open at the start is left out."""
    months = [(0, 9, "hired"), (1, 2, "hired"), (8, 20, "hired"), (2, 5, "withdrawn"), (3, 7, "hired")]
    times = log.hiring_times(vacancies_of(months, 10), START, str(pd.Timestamp(START) + pd.to_timedelta(
        10 * log.MONTH, unit="s")))  # fmt: skip
    assert times["number"].to_dict() == {("ward", "hired"): 2, ("ward", "open"): 1, ("ward", "withdrawn"): 1}
    hired, still, withdrawn = times.loc["ward"].loc[["hired", "open", "withdrawn"]].itertuples()
    assert [hired.share, still.share, withdrawn.share] == pytest.approx([0.625, 0.0, 0.375])
    assert hired.open == pytest.approx((0.25 * 1 + 0.375 * 4) / 0.625)
    assert hired.to_first_day == pytest.approx(hired.open + 2)
    assert np.isnan(still.open)


def test_lengths_of_vacancies_are_those_of_a_run_without_end() -> None:
    """A run that ends after eighteen months finds the mean of a log that is complete; those closed do not."""
    rng = np.random.default_rng(3)
    opened = rng.uniform(0.01, 17.0, 4000)
    lengths = np.minimum(rng.exponential(4.0, 4000), 15.0)
    months = [(o, o + n, "hired") for o, n in zip(opened, lengths, strict=True)]
    end = str(pd.Timestamp(START) + pd.to_timedelta(18 * log.MONTH, unit="s"))
    found = log.hiring_times(vacancies_of(months, 18.0), START, end).loc[("ward", "hired")]
    naive = lengths[opened + lengths <= 18.0].mean()
    assert naive < 0.9 * lengths.mean()
    assert found["open"] == pytest.approx(lengths.mean(), rel=0.05)
    assert found["median_open"] == pytest.approx(np.median(lengths), rel=0.05)


def test_a_log_without_vacancies_has_no_lengths() -> None:
    none = vacancies_of([(0, 9, "hired")], 10)
    assert log.hiring_times(none, START, END).empty


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
