"""Arrays of an ensemble in files: written by block, read in parts, checked when continued."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from pharmsim.results.store import JOURNAL, Files, Memory, journal

SHAPES = {"a": (4, 5), "b": (3,), "none": (0, 2)}
DIMS = {"a": ("draw", "x", "y"), "b": ("draw", "x")}
BLOCKS = ((0, 1), (3, 6), (1, 3))


def record(block: tuple[int, int]) -> dict[str, np.ndarray]:
    stream = np.random.default_rng(1)
    return {name: stream.random((6, *shape))[slice(*block)] for name, shape in SHAPES.items()}


def filled(store: Any) -> Any:
    for block in BLOCKS:
        store.put(block, record(block))
    return store


def test_memory_and_files_hold_the_same(tmp_path: Path) -> None:
    stores = [
        filled(Memory(SHAPES, 6)),
        filled(Files(tmp_path, SHAPES, 6)),
        filled(Files.temporary(SHAPES, 6)),
    ]
    for store in stores:
        assert store.done == set(BLOCKS)
        for name in DIMS:
            array = xr.Variable(DIMS[name], store.arrays()[name])
            assert np.array_equal(array.values, record((0, 6))[name])
    assert "none" not in stores[1].arrays()


KEYS = (2, -1, slice(None), slice(1, 4), slice(None, None, -2), slice(0, 0), [3, 1], np.array([], dtype=int))


def test_any_selection_is_that_of_an_array_in_memory(tmp_path: Path) -> None:
    stored = xr.DataArray(xr.Variable(DIMS["a"], filled(Files(tmp_path, SHAPES, 6)).arrays()["a"]))
    plain = xr.DataArray(record((0, 6))["a"], dims=DIMS["a"])
    n = 0
    for keys in itertools.product(KEYS, repeat=3):
        chosen: Any = dict(zip(DIMS["a"], keys, strict=True))
        found, expected = stored.isel(chosen).values, plain.isel(chosen).values
        assert found.shape == expected.shape
        assert np.array_equal(found, expected), keys
        n += 1
    assert n == 512
    twice = [array.isel(draw=slice(1, 5)).isel(draw=2, x=[1, 0]).values for array in (stored, plain)]
    assert np.array_equal(*twice)


def test_what_is_read_is_not_kept_and_no_more_than_is_asked_for() -> None:
    shape, n = (100, 100), 100  # 8 MB
    store = Files.temporary({"a": shape}, n)
    for row in range(n):
        store.put((row, row + 1), {"a": np.full((1, *shape), float(row))})
    array = xr.DataArray(xr.Variable(DIMS["a"], store.arrays()["a"]))
    tracemalloc.start()
    try:
        assert array.isel(draw=slice(10, 20)).values.mean() == 14.5
        assert array.isel(draw=30).sum() == 300_000.0
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        assert array.values.size == 1_000_000
        assert tracemalloc.get_traced_memory()[1] > 8_000_000
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


def test_temporary_files_last_as_long_as_what_reads_them() -> None:
    store = filled(Files.temporary(SHAPES, 6))
    folder, data = store.folder, xr.Dataset({"b": (DIMS["b"], store.arrays()["b"])}).copy(deep=True)
    del store
    gc.collect()
    assert data["b"].values.sum() > 0.0
    del data
    gc.collect()
    assert not folder.exists()


def test_only_blocks_that_are_whole_are_continued(tmp_path: Path) -> None:
    filled(Files(tmp_path, SHAPES, 6))
    again = Files(tmp_path, SHAPES, 6)
    assert again.done == set(BLOCKS)
    with (tmp_path / JOURNAL).open("a") as file:
        file.write("6 7 12345")  # cut off
    with (tmp_path / "b.f64").open("r+b") as file:
        file.seek(4 * 3 * 8)
        file.write(b"\0" * 8)  # lost
    again = Files(tmp_path, SHAPES, 6)
    assert again.done == {(0, 1), (1, 3)} == set(journal(tmp_path))
    again.put((3, 6), record((3, 6)))
    assert np.array_equal(xr.Variable(DIMS["b"], again.arrays()["b"]).values, record((0, 6))["b"])
    assert set(journal(tmp_path)) == set(BLOCKS)


def test_a_block_that_is_done_is_not_written_again(tmp_path: Path) -> None:
    store = filled(Files(tmp_path, SHAPES, 6))
    store.put((3, 6), {name: np.zeros((3, *shape)) for name, shape in SHAPES.items()})
    assert np.array_equal(xr.Variable(DIMS["b"], store.arrays()["b"]).values, record((0, 6))["b"])


def test_a_record_that_lacks_an_output_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Files(tmp_path, SHAPES, 6).put((0, 1), {})
