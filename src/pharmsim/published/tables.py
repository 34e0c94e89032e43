"""Tables of text out of files: CSV in any of the usual encodings, workbooks, either of them in a zip file."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pharmsim.errors import InputError
from pharmsim.published import columns
from pharmsim.published.kind import Kind
from pharmsim.published.quality import Findings, where

TEXT, BOOK = (".csv", ".txt"), (".xlsx", ".xlsm")
Rows = list[list[str]]


@dataclass(frozen=True)
class Raw:
    """A table as it stands in a file.

    Attributes
    ----------
    name : str
        File, with the member of a zip file and the sheet of a workbook.
    rows : list of list of str
        Cells without blanks around them, the header somewhere near the top.
    encoding : str
        Encoding of a text, where it is not UTF-8; else empty.
    open : bool
        A text whose last line has no end, as one that was cut.
    """

    name: str
    rows: Rows
    encoding: str = ""
    open: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table whose columns are known.

    Attributes
    ----------
    name : str
        As in `Raw`.
    vintage : str
        Name of the vintage.
    frame : DataFrame
        Text; names of `Vintage.columns` where known, else as published; `row`: number in the file, from 1;
        `alike`: not empty in the second and further of rows that are alike in every column.
    rows : list of list of str
        All rows, for workbooks with several tables on a sheet.
    header : int
        Position of the header in `rows`.
    """

    name: str
    vintage: str
    frame: pd.DataFrame
    rows: Rows
    header: int

    def has(self, column: str) -> bool:
        """Whether the table has a column."""
        return column in self.frame.columns

    def text(self, column: str) -> pd.Series:
        """A column; empty texts if the table has none of that name."""
        if self.has(column):
            return self.frame[column]
        return pd.Series("", index=self.frame.index, dtype=object)


def open_file(path: Path) -> tuple[bytes, str]:
    """Content of a file and its SHA-256.

    Raises
    ------
    InputError
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: must be a file that can be read; {error.strerror or error}. Check its name."
        ) from error
    return data, hashlib.sha256(data).hexdigest()


def raw_tables(name: str, data: bytes) -> Iterator[Raw]:
    """Every table in a file: one of a CSV, a sheet each of a workbook, all members of a zip file."""
    kind = Path(name).suffix.lower()
    if kind in BOOK:
        yield from _book(name, data)
    elif kind == ".zip":
        yield from _archive(name, data)
    elif kind in TEXT:
        yield _text(name, data)
    else:
        raise InputError(f"{name}: must be a .csv, .xlsx or .zip file. Save the table as one of them.")


def _text(name: str, data: bytes) -> Raw:
    """A CSV. UTF-8 with or without a byte-order mark, UTF-16 with one, else Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, encoding = data.decode("utf-16"), "UTF-16"
    else:
        try:
            text, encoding = data.decode("utf-8-sig"), ""
        except UnicodeDecodeError:
            text, encoding = data.decode("cp1252", errors="replace"), "Windows-1252"
    lines = io.StringIO(text.replace("\0", ""), newline="")  # zero bytes have been seen in published files
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
    except csv.Error as error:
        raise InputError(
            f"{name}: must be a table of comma-separated values; {error}. Check the file."
        ) from error
    return Raw(name, rows, encoding, not text.endswith(("\n", "\r")))


def _book(name: str, data: bytes) -> Iterator[Raw]:
    try:
        import openpyxl
    except ImportError as error:
        raise InputError(f"{name}: needs the package openpyxl. Install pharmsim[calibrate].") from error
    try:
        with warnings.catch_warnings():  # of decorations that it does not know
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise InputError(f"{name}: must be an Excel workbook (.xlsx); {error}. Save it again.") from error
    for sheet in book.worksheets:
        rows = [
            ["" if cell is None else str(cell).strip() for cell in row]
            for row in sheet.iter_rows(values_only=True)
        ]
        yield Raw(f"{name}, sheet {sheet.title}", rows)


def _archive(name: str, data: bytes) -> Iterator[Raw]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                path = Path(member.filename)
                hidden = path.name.startswith(".") or "__MACOSX" in path.parts
                if not hidden and path.suffix.lower() in (*TEXT, *BOOK):
                    for raw in raw_tables(path.name, archive.read(member)):
                        yield replace(raw, name=f"{name}/{raw.name}")
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(
            f"{name}: must be a zip file without password; {error}. Download it again."
        ) from error


def sheets(kind: Kind, raws: Iterable[Raw], found: Findings) -> list[Sheet]:
    """The tables of a file that are of a kind.

    Raises
    ------
    InputError
        If no table has the columns of any vintage, if several have them where one is wanted, if a row has
        more cells than the header, a column is there twice, or the last row is cut.
    """
    fits = [(raw, columns.fit(kind.vintages, raw.rows)) for raw in raws if raw.rows]
    good = [(raw, one) for raw, one in fits if not one.missing]
    if not good:
        if not fits:
            raise InputError(f"{found.file}: must hold a table; it is empty. Download it again.")
        raw, best = max(fits, key=lambda pair: pair[1].n_needed)
        raise InputError(columns.complaint(raw.name, kind.title, best, raw.rows))
    if len(good) > 1 and not kind.many:
        listed = "; ".join(raw.name for raw, _ in good)
        raise InputError(
            f"{found.file}: must hold one table of “{kind.title}”; found {listed}. "
            "Unpack the file and name one of them."
        )
    return [_sheet(raw, one, found) for raw, one in good]


def _sheet(raw: Raw, one: columns.Fit, found: Findings) -> Sheet:
    """Rows under the header, with the names of the vintage; blank rows left out."""
    header = raw.rows[one.row]
    width = len(header)
    body = [(n, row) for n, row in enumerate(raw.rows[one.row + 1 :], one.row + 2) if any(row)]
    long = [n for n, row in body if len(row) > width and any(row[width:])]
    if long:
        raise InputError(
            f"{raw.name}: must have {width} cells a row, as the header; found more in "
            f"{where(pd.Series(long))}. A text with a comma must stand in quotation marks."
        )
    twice = [
        header[place]
        for place in one.found.values()
        if columns.plain(header[place])
        in [columns.plain(cell) for i, cell in enumerate(header) if i != place]
    ]
    if twice:
        raise InputError(
            f"{raw.name}: must have each column once; found {', '.join(f'`{name}`' for name in twice)} "
            "again. Take the one that is not meant out of the file."
        )
    if raw.open and body and body[-1][0] == len(raw.rows) and 1 < len(body[-1][1]) < width:
        raise InputError(
            f"{raw.name}: must end with a whole row; row {body[-1][0]:,}, the last, has "
            f"{len(body[-1][1])} of {width} cells. Download it again."
        )
    names = list(header)
    for key, place in one.found.items():
        names[place] = key
    frame = pd.DataFrame(
        [(row + [""] * width)[:width] for _, row in body], columns=pd.Index(names), dtype=object
    )
    frame = frame.loc[:, [bool(name) for name in names]]
    frame["alike"] = frame.duplicated().map({True: "alike", False: ""})
    frame["row"] = [n for n, _ in body]
    text = f"{raw.encoding}, not UTF-8; read as such"
    found.add("encoding", len(frame) * bool(raw.encoding), text)
    return Sheet(raw.name, one.vintage.name, frame, raw.rows, one.row)
