"""Run a model file in PySD: `python pysd_run.py MODEL.mdl OUT.npz`. Knows nothing of pharmsim."""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pysd

NAMES = ("headcount", "older people", "fte", "retired", "moves", *(f"gone{k}" for k in range(8)))


def main(model_file: str, out_file: str) -> None:
    """Translate, run, and write every output with time first."""
    warnings.simplefilter("ignore")
    np.set_printoptions(precision=17)  # PySD writes constants as numpy prints them: eight digits otherwise
    began = time.perf_counter()
    model = pysd.read_vensim(model_file)
    translated = time.perf_counter()
    table = model.run(return_columns=list(NAMES))
    seconds = time.perf_counter() - translated
    arrays = {"seconds": np.array(seconds), "translation": np.array(translated - began)}
    for name in NAMES:
        columns = [c for c in table.columns if c == name or c.startswith(f"{name}[")]
        coords, dims = model.get_coords(name)
        shape = [len(coords[dim]) for dim in dims]
        arrays[name] = table[columns].to_numpy().reshape(len(table), *shape)
    np.savez(out_file, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
