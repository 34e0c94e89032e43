"""A causal-loop diagram of the feedbacks that a scenario has on, as SVG, from the compiled scenario.

Variables stand on a grid; the ways of the arrows and the places of the words are computed, so that no
words overlap. Every feedback has a colour and dashes of its own.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from pharmsim.compiled.compile import Compiled, compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.report.causal import LABELS, Link, links
from pharmsim.report.diagram import INK, MARGIN, Canvas, document, wrapped
from pharmsim.report.loops import Loop, loops, main_loops
from pharmsim.report.routes import Box, Floats, Routes, beside, curve, part
from pharmsim.report.style import shorten
from pharmsim.scenario.models import Scenario

GRID = {
    "activity": (0, 0), "required": (1, 0), "establishment": (3, 0), "budget": (4, 0),
    "pay": (1, 1), "attractiveness": (2, 1), "moves": (3, 1), "vacancies": (4, 1), "supply": (5, 1),
    "pressure": (0, 2), "leaving": (2, 2),
    "shorter_hours": (1, 3), "hours": (2, 3), "staff": (3, 3), "joining": (5, 3),
    "delivered": (0, 4), "cover": (2, 4), "money_left": (3, 4), "first_year": (4, 4), "qualified": (5, 4),
    "supervising": (0, 5), "settling": (1, 5), "supervisors": (4, 5), "places": (5, 5), "trainees": (0, 6),
}  # fmt: skip
"""Column and row of every variable."""
CELL_W, CELL_H, BOX_W, BOX_H, TOP = 200.0, 124.0, 124.0, 36.0, 112.0
DASHES = {
    "burnout": "", "recruitment": "9 3", "training": "2 3", "attractiveness": "12 3 2 3",
    "inexperience": "6 3", "flexibility": "5 2 1 2 1 2",
}  # fmt: skip
"""Dashes of every feedback's arrows."""
SHADES = {
    "burnout": "#C04A00", "recruitment": "#0066A3", "training": "#007A58", "attractiveness": "#A0437E",
    "inexperience": "#7A5F17", "flexibility": "#000000",
}  # fmt: skip
"""Colours of every feedback, dark enough for words."""
GREY = "#6E6E6E"
SIZE = 10.0
"""Height of the letters on arrows."""
STOCK = "staff"


def colour(feedback: str) -> str:
    """Colour of a feedback; grey for links that are always there."""
    return SHADES.get(feedback, GREY)


def diagram(compiled: Compiled) -> str:
    """Draw the feedback loops of a compiled scenario.

    Parameters
    ----------
    compiled : Compiled

    Returns
    -------
    str
        An SVG document. Without any feedback on it shows the links that are always there, and says so.
    """
    found = links(compiled)
    shown = main_loops(found)
    canvas, routes = Canvas(), Routes(_boxes(found))
    right = max((box[2] for box in routes.boxes.values()), default=0.0)
    bottom = max((box[3] for box in routes.boxes.values()), default=TOP)
    width = max(right + 50.0, 760.0)
    order = sorted(found, key=lambda link: (not link.feedback, _length(routes, link)))
    ways = {id(link): routes.arrow(link.source, link.target) for link in order}
    for link in reversed(order):
        _arrow(canvas, link, ways[id(link)])
    for name, box in routes.boxes.items():
        _variable(canvas, name, box, found)
    for link in order:
        _sign(canvas, routes, link, ways[id(link)])
    for link in order:
        _label(canvas, routes, link, ways[id(link)])
    names = _names(shown)
    for loop, name in names.items():
        _mark(canvas, routes, loop, (name, shown[loop]), ways)
    low = max([bottom, *(float(points[:, 1].max()) for points in routes.curves)]) + 34.0
    y = _list(canvas, names, shown, low, width)
    y = _legend(canvas, compiled, found, len(loops(found)), len(shown), y + 8.0, width)
    _head(canvas, compiled, found, width)
    return document(canvas, width, y + 16.0)


def write(scenario: Scenario, path: Path) -> None:
    """Compile a scenario at its central values and write its diagram as an SVG file."""
    text = diagram(compile_scenario(scenario, sample(scenario, 0, 1), tags=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _boxes(found: list[Link]) -> dict[str, Box]:
    """Boxes of the variables that links use; columns and rows without any are left out."""
    used = {name for link in found for name in (link.source, link.target)}
    columns = sorted({GRID[name][0] for name in used})
    rows = sorted({GRID[name][1] for name in used})
    out: dict[str, Box] = {}
    for name in GRID:
        if name in used:
            x = 50.0 + CELL_W * columns.index(GRID[name][0])
            y = TOP + CELL_H * rows.index(GRID[name][1])
            out[name] = (x, y, x + BOX_W, y + BOX_H)
    return out


def _length(routes: Routes, link: Link) -> float:
    a, b = routes.boxes[link.source], routes.boxes[link.target]
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


def _path(way: Floats) -> str:
    (x1, y1), (x2, y2), (x3, y3) = way
    return f"M{x1:.1f},{y1:.1f} Q{x2:.1f},{y2:.1f} {x3:.1f},{y3:.1f}"


def _arrow(canvas: Canvas, link: Link, way: Floats) -> None:
    title = f"{LABELS[link.source]} → {LABELS[link.target]}, {'+' if link.sign > 0 else '−'}"
    title += f" ({link.feedback})" if link.feedback else ""
    dashed = DASHES.get(link.feedback)
    dashes: dict[str, Any] = {"stroke_dasharray": dashed} if dashed else {}
    canvas.arrow(_path(way), colour(link.feedback), 2.4 if link.feedback else 1.1, title, **dashes)
    if link.delay > 0.0:
        for at in (0.28, 0.28 + 5.0 / max(float(np.hypot(*(way[2] - way[0]))), 1.0)):
            _bar(canvas, way, at, colour(link.feedback))


def _bar(canvas: Canvas, way: Floats, at: float, stroke: str) -> None:
    """One of the two strokes across an arrow that mean a delay."""
    here = part(way, at, min(at + 0.02, 1.0))
    along = here[2] - here[0]
    off = 7.0 * np.array([along[1], -along[0]]) / (np.hypot(*along) or 1.0)
    (x1, y1), (x2, y2) = here[0] + off, here[0] - off
    canvas.add("path", d=f"M{x1:.1f},{y1:.1f} L{x2:.1f},{y2:.1f}", fill="none", stroke=stroke, stroke_width=2)


def _variable(canvas: Canvas, name: str, box: Box, found: list[Link]) -> None:
    """A variable; the stock has a heavy frame, what comes from outside a dashed one."""
    outside = all(link.target != name for link in found)
    frame: dict[str, Any] = {"stroke": "#888888", "stroke_width": 1}
    frame |= {"stroke_dasharray": "3 3"} if outside else {}
    frame |= {"stroke": INK, "stroke_width": 2.2} if name == STOCK else {}
    canvas.add("rect", x=box[0], y=box[1], width=BOX_W, height=BOX_H, rx=0 if name == STOCK else 9,
               fill="white", **frame)  # fmt: skip
    lines = wrapped(LABELS[name], 18)
    for i, line in enumerate(lines):
        y = (box[1] + box[3]) / 2 + 4 + 13 * (i - (len(lines) - 1) / 2)
        canvas.text((box[0] + box[2]) / 2, y, line, text_anchor="middle",
                    font_weight="bold" if name == STOCK else "normal")  # fmt: skip


def _sign(canvas: Canvas, routes: Routes, link: Link, way: Floats) -> None:
    """Plus or minus beside the head of an arrow."""
    places = beside(curve(way), (0.9, 0.85, 0.8, 0.74, 0.94), (9.0, 12.0))
    box = routes.write(places, ["+"], 14.0)
    words = "+" if link.sign > 0 else "−"
    canvas.text((box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + 5, words, 15, text_anchor="middle",
                font_weight="bold", fill=colour(link.feedback))  # fmt: skip


def _label(canvas: Canvas, routes: Routes, link: Link, way: Floats) -> None:
    """Name, elasticity and delay beside an arrow."""
    parts = [f"ε {link.elasticity:+.3g}".replace("-", "−")] if link.feedback else []
    parts += [f"∥ {link.delay:.3g} mo"] if link.delay > 0.0 else []
    if not parts:
        return
    lines = [*([link.feedback] if link.feedback else []), "  ".join(parts)]
    size = SIZE
    off = 8.0 + 0.6 * size * len(lines)
    reach = max(off, 0.3 * size * max(map(len, lines)) + 8.0)
    at = (0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7, 0.25, 0.75, 0.2, 0.8)
    places = beside(curve(way), at, (off, (off + reach) / 2, reach, reach + 8.0))
    box = routes.write(places, lines, size)
    for i, line in enumerate(lines):
        y, name = box[1] + 1.2 * size * (i + 0.8), i == 0 and link.feedback != ""
        shade = colour(link.feedback) if name else INK
        canvas.text((box[0] + box[2]) / 2, y, line, size, text_anchor="middle", fill=shade,
                    font_weight="bold" if name else "normal")  # fmt: skip


def _names(shown: dict[Loop, str]) -> dict[Loop, str]:
    """R1, R2, B1 … in the order of the feedbacks, loops without any last."""
    counts = {"R": 0, "B": 0}
    order = [*DASHES, ""]
    out = {}
    for loop in sorted(shown, key=lambda loop: order.index(shown[loop])):
        counts[loop.polarity] += 1
        out[loop] = f"{loop.polarity}{counts[loop.polarity]}"
    return out


def _mark(canvas: Canvas, routes: Routes, loop: Loop, name: tuple[str, str], ways: dict[int, Floats]) -> None:
    """The name of a loop in a ring in the colour of its feedback, near its middle."""
    points = np.concatenate([curve(ways[id(link)]) for link in loop.links])
    x, y = points.mean(axis=0)
    places = [(float(x), float(y))]
    for radius in range(12, 240, 12):
        angles = np.linspace(0.0, 2.0 * np.pi, max(8, radius // 3), endpoint=False)
        places += [(float(x + radius * np.cos(a)), float(y + radius * np.sin(a))) for a in angles]
    box = routes.write(places, ["RRRR", "", ""], 11.0)
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    stroke = colour(name[1])
    fill = "white" if loop.polarity == "B" else "#EEEEEE"
    canvas.add("circle", f"<title>{loop.text()}</title>", cx=float(cx), cy=float(cy), r=13.0, fill=fill,
               stroke=stroke, stroke_width=2)  # fmt: skip
    canvas.text(cx, cy + 4, name[0], 11, text_anchor="middle", font_weight="bold", fill=stroke)


def _list(canvas: Canvas, names: dict[Loop, str], shown: dict[Loop, str], y: float, width: float) -> float:
    """Every loop as a chain of words; returns the height of the next line."""
    for loop, name in names.items():
        others = [other for other in loop.feedbacks if other != shown[loop]]
        of = " with ".join([shown[loop], *others]) or "always there"
        kind = "reinforcing" if loop.polarity == "R" else "balancing"
        canvas.text(MARGIN, y, name, 11, font_weight="bold", fill=colour(shown[loop]))
        lines = textwrap.wrap(f"{of}, {kind}: {loop.text()}", int((width - MARGIN - 60) / (LETTER * 11)))
        for line in lines:
            canvas.text(MARGIN + 32, y, line, 11)
            y += 15.0
    return y


LETTER = 0.58
"""Width of a letter of running text as a share of its height."""


def _legend(
    canvas: Canvas, compiled: Compiled, found: list[Link], n_all: int, n_shown: int, y: float, width: float
) -> float:
    """What the signs mean, and what the picture leaves out; returns the height of the last line."""
    on = [name for name in DASHES if any(link.feedback == name for link in found)]
    text = [
        "R: reinforcing, a change feeds itself.  B: balancing, a change is counteracted.  "
        "+: more leads to more than otherwise (less to less).  −: more leads to less.  "
        "∥: acts after a delay (mo: mean months until it is perceived; for training, the longest).  "
        "ε: elasticity; 1 % more of the cause, ε % more of the effect.  "
        "Heavy frame: people in post.  Dashed frames: given from outside.  Thin grey: always there.",
    ]
    closed = {name for loop in loops(found) for name in loop.feedbacks}
    text += [f"{name}: no loop closes through it here; it acts along its arrow only." for name in on
             if name not in closed]  # fmt: skip
    if n_all > n_shown:
        text.append(f"{n_all - n_shown} more loops combine the same arrows; listed are the simplest.")
    for words in text:
        for line in textwrap.wrap(words, int((width - 2 * MARGIN) / (LETTER * SIZE))):
            canvas.text(MARGIN, y, line, SIZE, fill="#444444")
            y += 14.0
    return y - 14.0


def _head(canvas: Canvas, compiled: Compiled, found: list[Link], width: float) -> None:
    """Title, and which feedbacks are on, in their colours and dashes."""
    room = int((width - 2 * MARGIN) / 12.5)
    canvas.text(MARGIN, 32, shorten(compiled.scenario.name, room), 18, font_weight="bold")
    canvas.text(MARGIN, 52, "feedback loops, at the central values", 12)
    on = [name for name in DASHES if any(link.feedback == name for link in found)]
    if not on:
        canvas.text(MARGIN, 74, "No feedback is on: only the links that are always there are drawn.", 12)
    x, y = MARGIN, 74.0
    for name in on:
        dashes: dict[str, Any] = {"stroke_dasharray": DASHES[name]} if DASHES[name] else {}
        canvas.add("path", d=f"M{x:.1f},{y - 4:.1f} L{x + 34:.1f},{y - 4:.1f}", fill="none",
                   stroke=colour(name), stroke_width=2.4, **dashes)  # fmt: skip
        canvas.text(x + 40, y, name, 11)
        x += 60 + 7.0 * len(name)
