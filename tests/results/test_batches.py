"""Draws in batches: the same numbers for any size of a batch, in bounded memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

import synthetic
from pharmsim.report import figures, style, system_figures
from pharmsim.results import batches, bounds, netcdf, parquet
from pharmsim.results.by_year import by_year
from pharmsim.results.frames import statistics
from pharmsim.results.labelled import Results
from pharmsim.results.tables import main_tables

N = 20


@pytest.fixture(scope="module")
def results() -> Results:
    return synthetic.results(draws=N, **synthetic.system())


@contextmanager
def from_disk(data: xr.Dataset, path: Path) -> Iterator[xr.Dataset]:
    """The same numbers, read when they are used and not kept."""
    netcdf.write(data, path)
    with xr.open_dataset(path, engine="h5netcdf", cache=False) as found:
        yield found


def one_draw(data: xr.Dataset) -> float:
    return data.nbytes / data.sizes["draw"]


def test_batches_are_the_draws_in_order(results: Results) -> None:
    data = results.data
    found = list(batches.batches(data, 7.5 * one_draw(data)))
    assert [batch.sizes["draw"] for batch in found] == [7, 7, 7]
    assert xr.concat(found, "draw", coords="minimal", compat="override").identical(data)
    assert next(batches.batches(data)) is data
    assert all(batch.sizes["draw"] == 1 for batch in batches.batches(data, 1.0))


def test_a_batch_is_read_once_and_the_whole_is_not_kept(results: Results, tmp_path: Path) -> None:
    with from_disk(results.data, tmp_path / "x.nc") as data:
        batch = next(batches.batches(data, 7.5 * one_draw(data)))
        first = batch["fte"].values
        assert np.shares_memory(batch["fte"].values, first)
        assert not data["fte"].variable._in_memory
        np.testing.assert_array_equal(first, results.data["fte"].values[:7])


@pytest.fixture
def in_small_batches(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "LARGEST", 7.5 * one_draw(results.data))
    monkeypatch.setattr(netcdf, "BATCH", 3.5 * one_draw(results.data))


PICTURES = (
    figures.headcount, figures.environments, figures.vacancies, figures.joiners_and_leavers, figures.training,
    figures.ages, figures.retention_levels, system_figures.pressure, system_figures.spending,
)  # fmt: skip


def written(results: Results, folder: Path) -> dict[str, Any]:
    """Everything that is made of draws, by name: tables, the long table, lines and bands of the pictures."""
    folder.mkdir()
    parquet.write(results.data, folder / "tidy.parquet")
    found: dict[str, Any] = {"parquet": (folder / "tidy.parquet").read_bytes()}
    found |= {name: table.to_csv() for name, table in main_tables(results).items()}
    with style.styled():
        for make in PICTURES:
            figure, _ = make(results)  # type: ignore[misc]
            lines = [np.asarray(line.get_ydata()).tolist() for axes in figure.axes for line in axes.lines]
            parts = [item for axes in figure.axes for item in axes.collections]
            bands = [path.vertices.tolist() for item in parts for path in item.get_paths()]
            found[make.__name__] = lines, bands
            assert lines or bands
    assert len(found) > 18
    return found


def test_what_is_made_of_draws_does_not_depend_on_batches(
    results: Results, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    expected = written(results, tmp_path / "at_once")
    digests = netcdf.digest(results.data)
    request.getfixturevalue("in_small_batches")
    with from_disk(results.data, tmp_path / "x.nc") as data:
        lazy = Results(results.scenario, data, results.meta)
        found = written(lazy, tmp_path / "batches")
        assert netcdf.digest(data) == digests
    assert found == expected


def test_digests_see_every_number_and_the_order_of_draws(results: Results) -> None:
    data, digests = results.data, netcdf.digest(results.data)
    other = data.copy(deep=True)
    other["fte"][N, 5, 1] = np.nextafter(other["fte"][N, 5, 1], 1e9)
    assert {name for name, text in netcdf.digest(other).items() if text != digests[name]} == {"fte"}
    swapped = netcdf.digest(data.isel(draw=[1, 0, *range(2, N + 1)]))
    assert swapped["leavers"] != digests["leavers"]


def test_a_flow_of_one_late_draw_is_in_the_table(
    results: Results, in_small_batches: None, tmp_path: Path
) -> None:
    data = results.data.copy(deep=True)
    labels = list(data["source"].values)
    data["joiners"][:, :, :, labels.index("earlier_offers")] = 0.0
    data["training_unplaced"][:] = 0.0
    data["training_starts"][:] = 0.0

    def shown() -> tuple[bool, bool]:
        made = main_tables(Results(results.scenario, data, results.meta))
        offers = (made["flows"]["category"] == "earlier_offers").any()
        return bool(offers), "training_unplaced" in set(made["training"]["quantity"])

    assert shown() == (False, False)
    data["joiners"][N, 3, 0, labels.index("earlier_offers")] = 1.0
    data["training_unplaced"][N, 3, 0] = 1.0
    assert shown() == (True, True)


def test_a_bound_that_one_late_draw_hits_is_told(results: Results, in_small_batches: None) -> None:
    data = results.data.copy(deep=True)
    assert not bounds.hits(results.scenario, data)
    at = list(data["feedback"].values).index("burnout")
    data["multiplier"][N, 4:6, at, 2] = 1.5
    data["multiplier"][3, 7, at, 2] = 1.5
    (hit,) = bounds.hits(results.scenario, data)
    assert (hit.feedback, hit.where, hit.side, hit.months) == ("burnout", "helper_shop", "high", 0)
    assert hit.share == pytest.approx(2 / N)
    data["multiplier"][0, 9:12, at, 2] = 1.5
    (hit,) = bounds.hits(results.scenario, data)
    assert (str(hit.first)[:7], hit.months, hit.share) == ("2026-07", 3, 2 / N)


def test_percentiles_are_those_of_numpy() -> None:
    values = np.random.default_rng(1).normal(size=(102, 4, 3))
    found = statistics(values)
    np.testing.assert_array_equal(found["central"], values[0])
    for name, at in (("p5", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95)):
        np.testing.assert_array_equal(found[name], np.quantile(values[1:], at, axis=0))


# -- by year ------------------------------------------------------------------------------------------------


def test_years_are_anniversaries_sums_and_what_is_yearly(results: Results) -> None:
    data, years = results.data, by_year(results.data)
    assert set(data.data_vars) - set(years.data_vars) == {"conservation_error"}
    np.testing.assert_array_equal(years["time_fte"], data["time_fte"][:, ::12])
    assert [str(day)[:10] for day in years["time"].values[[0, -1]]] == ["2025-10-01", "2031-10-01"]
    leavers = data["leavers"].values.reshape(N + 1, 6, 12, 4, 2).sum(axis=2)
    np.testing.assert_array_equal(years["leavers"], leavers)
    np.testing.assert_allclose(years["pay_bill"][:, 0], data["pay_bill"][:, :12].sum("time"), rtol=1e-14)
    assert (years["leavers"].attrs["unit"], years["pay_bill"].attrs["unit"]) == (
        "heads per year", "GBP per year",
    )  # fmt: skip
    for name in ("headcount_by_age", "tagged", "registered_before"):
        assert years[name].identical(data[name]), name
    assert list(years["post_role"].values) == list(data["post_role"].values)


def test_an_incomplete_last_year_has_stocks_only() -> None:
    years = by_year(synthetic.results(draws=1, n_months=30).data)
    assert [str(day)[:7] for day in years["time"].values] == ["2025-10", "2026-10", "2027-10", "2028-04"]
    assert years.sizes["year_from"] == 2


# -- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", [lambda data: data, by_year])
def test_a_file_written_in_batches_is_the_same(
    results: Results, tmp_path: Path, in_small_batches: None, reduce: Callable[[xr.Dataset], xr.Dataset]
) -> None:
    netcdf.write(results.data, tmp_path / "x.nc", reduce)
    assert netcdf.read(tmp_path / "x.nc").identical(reduce(results.data))


def test_what_becomes_small_is_compressed(results: Results, tmp_path: Path) -> None:
    netcdf.write(results.data, tmp_path / "x.nc")
    with h5py.File(tmp_path / "x.nc") as file:
        packed = {name: place.compression for name, place in file.items()}
    assert packed["multiplier"] == "gzip"  # 1 everywhere
    assert packed["leavers"] is None  # noise


def test_large_results_stay_in_their_file(results: Results, tmp_path: Path, in_small_batches: None) -> None:
    netcdf.write(results.data, tmp_path / "x.nc")
    with netcdf.read(tmp_path / "x.nc") as data:
        assert not data["fte"].variable._in_memory
        assert data.identical(results.data)


def test_memory_is_that_of_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made of results on disk needs less than a third of their size; more if not in batches."""
    made = synthetic.results(draws=400)
    data = xr.concat([made.data[["headcount", "fte", "leavers", "retirements"]]] * 4, "draw")

    def peak(lazy: xr.Dataset, i: int) -> int:
        tracemalloc.start()
        main_tables(Results(made.scenario, lazy, made.meta))
        parquet.write(lazy, tmp_path / "tidy.parquet")
        netcdf.write(lazy, tmp_path / f"all_{i}.nc")
        netcdf.write(lazy, tmp_path / f"years_{i}.nc", by_year)
        netcdf.digest(lazy)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    with from_disk(data, tmp_path / "x.nc") as lazy:
        monkeypatch.setattr(netcdf, "BATCH", data.nbytes / 8)
        monkeypatch.setattr(batches, "LARGEST", data.nbytes / 8)
        assert peak(lazy, 1) < data.nbytes / 3
        monkeypatch.setattr(batches, "LARGEST", 2 * data.nbytes)
        assert peak(lazy, 2) > data.nbytes / 3


FULL = """
import resource, sys
from pathlib import Path
import synthetic
from pharmsim.results import netcdf

data, netcdf.BATCH = synthetic.results(draws=20).data, 1e5
for largest in (10_000, 200_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    try:
        netcdf.write(data, Path(sys.argv[1]))
    except OSError as error:
        print(error.strerror)
"""


def test_a_disk_that_fills_while_a_file_is_written_is_one_error(tmp_path: Path) -> None:
    """No file may be larger than a limit: HDF5 by itself then ends in pages of errors and a crash."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path / "results.nc"], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "File too large\n" * 2, "")
