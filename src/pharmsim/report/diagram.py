"""A stock-and-flow diagram of a scenario as SVG.

Posts are boxes: a row for each role, a column for each environment. Arcs are moves (thicker: faster),
straight arrows promotions and role changes. Pipelines are conveyors on the left with the clouds people
are hired from; the clouds people leave to and the pools they may come back from are on the right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pharmsim.report.style import COLOURS, shorten
from pharmsim.results.axes import edges_of
from pharmsim.scenario.models import Post, Scenario
from pharmsim.scenario.training import ExternalPipeline, InternalPipeline

BOX_W, BOX_H, GAP = 112.0, 40.0, 14.0
LEFT, RIGHT, TOP, MARGIN = 300.0, 230.0, 110.0, 20.0
ARC = 11.0
"""Height of an arc for each column it spans."""
INK, PALE = "#333333", "#F3F3F3"

Point = tuple[float, float]


@dataclass
class Canvas:
    """SVG elements; all text is escaped on its way in."""

    parts: list[str] = field(default_factory=list)
    colours: dict[str, None] = field(default_factory=dict)

    def add(self, tag: str, text: str | None = None, **attributes: object) -> None:
        """Add an element; an underscore in an attribute's name stands for a dash."""
        written = "".join(
            f" {name.rstrip('_').replace('_', '-')}={quoteattr(_number(value))}"
            for name, value in attributes.items()
        )
        self.parts.append(f"<{tag}{written}/>" if text is None else f"<{tag}{written}>{text}</{tag}>")

    def text(self, x: float, y: float, words: str, size: float = 11, **more: object) -> None:
        """Write one line."""
        self.add("text", escape(words), x=x, y=y, font_size=size, **{"fill": INK, **more})

    def arrow(
        self,
        path: str,
        colour: str = INK,
        width: float = 1.2,
        title: str = "",
        both: bool = False,
        **more: object,
    ) -> None:
        """Draw a path with a head at its end, or at both ends."""
        inside = f"<title>{escape(title)}</title>" if title else None
        head = f"url(#{_marker(colour)})"
        self.colours.setdefault(colour)
        ends: dict[str, object] = {"marker_end": head, **({"marker_start": head} if both else {})}
        self.add("path", inside, d=path, fill="none", stroke=colour, stroke_width=width, **ends, **more)

    def cloud(self, x: float, y: float, words: str, width: float = 170) -> None:
        """Draw a source or sink."""
        self.add("rect", x=x, y=y - 14, width=width, height=28, rx=14, fill="white", stroke="#888888",
                 stroke_dasharray="4 3")  # fmt: skip
        self.text(x + width / 2, y + 4, shorten(words.replace("_", " "), 24), text_anchor="middle")


def _marker(colour: str) -> str:
    """Name of the arrow head of a colour."""
    return "head" + colour.lstrip("#")


def _number(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Layout:
    """Where everything stands.

    Attributes
    ----------
    boxes : dict
        post → upper left corner.
    rows : dict
        role → (top, bottom) of its frame.
    width, bottom : float
        Right end of the frames; lower end of the last.
    """

    boxes: dict[str, Point]
    rows: dict[str, tuple[float, float]]
    width: float
    bottom: float


def layout(scenario: Scenario) -> Layout:
    """Place the posts: roles as rows, environments as columns, several posts of a cell below each other."""
    columns = [name for name in scenario.environments if any(p.environment == name for p in scenario.posts)]
    boxes: dict[str, Point] = {}
    rows: dict[str, tuple[float, float]] = {}
    y = TOP
    for role in scenario.roles:
        posts = [post for post in scenario.posts if post.role == role]
        if not posts:
            continue
        deepest = 1
        first = y + 30 + ARC * max(len(columns) - 1, 1)
        for i, column in enumerate(columns):
            here = [post for post in posts if post.environment == column]
            deepest = max(deepest, len(here))
            for k, post in enumerate(here):
                boxes[post.post] = (LEFT + GAP + i * (BOX_W + GAP), first + k * (BOX_H + GAP))
        needed = max(first + deepest * (BOX_H + GAP), y + 40 + 64.0 * len(_pipelines(scenario, role)))
        rows[role] = (y, needed)
        y = needed + 26
    return Layout(boxes, rows, LEFT + GAP + len(columns) * (BOX_W + GAP), y - 26)


def _pipelines(scenario: Scenario, role: str) -> list[tuple[str, ExternalPipeline | InternalPipeline]]:
    return [(name, pipeline) for name, pipeline in scenario.pipelines.items() if pipeline.role == role]


def diagram(scenario: Scenario) -> str:
    """Draw a scenario.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    str
        An SVG document.
    """
    at = layout(scenario)
    canvas = Canvas()
    _columns(canvas, scenario, at)
    for top, bottom in at.rows.values():
        canvas.add("rect", x=LEFT, y=top, width=at.width - LEFT, height=bottom - top, rx=8, fill="none",
                   stroke="#999999")  # fmt: skip
    _edges(canvas, scenario, at)
    for role, (top, _) in at.rows.items():
        halo: dict[str, object] = {"stroke": "white", "stroke_width": 4, "paint_order": "stroke"}
        label = shorten(scenario.roles.get(role, role), int((at.width - LEFT - 20) / 9))
        canvas.text(LEFT + 10, top + 18, label, 13, font_weight="bold", **halo)
    _posts(canvas, scenario, at)
    left = _conveyors(canvas, scenario, at)
    _sources(canvas, scenario, at, left)
    right = _sinks(canvas, scenario, at)
    width = at.width + RIGHT + MARGIN
    height = _legend(canvas, scenario, max(at.bottom, left, right) + 36, width) + 20
    canvas.text(MARGIN, 32, shorten(scenario.name, int((width - 2 * MARGIN) / 12.5)), 18, font_weight="bold")
    canvas.text(MARGIN, 52, f"stocks and flows, {scenario.start} to {scenario.end}", 12)
    return document(canvas, width, height)


def write(scenario: Scenario, path: Path) -> None:
    """Write the diagram of a scenario as an SVG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(diagram(scenario), encoding="utf-8")


def document(canvas: Canvas, width: float, height: float) -> str:
    """An SVG document of what stands on a canvas."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="DejaVu Sans, Arial, sans-serif">'
    )
    shape = (
        'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse"'
    )
    markers = [
        f'<marker id="{_marker(colour)}" {shape} orient="auto-start-reverse">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
        for colour in canvas.colours
    ]
    background = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head, "<defs>", *markers, "</defs>", background, *canvas.parts, "</svg>", ""])


def _columns(canvas: Canvas, scenario: Scenario, at: Layout) -> None:
    """Environments as pale columns behind the posts."""
    found: dict[str, float] = {}
    for post in scenario.posts:
        found.setdefault(post.environment, at.boxes[post.post][0])
    for name, x in found.items():
        canvas.add(
            "rect", x=x - 5, y=TOP - 36, width=BOX_W + 10, height=at.bottom - TOP + 42, rx=6, fill=PALE
        )
        lines = wrapped(scenario.environments.get(name, name), 15)
        for i, line in enumerate(reversed(lines)):
            canvas.text(x + BOX_W / 2, TOP - 8 - 13 * i, line, 10.5, text_anchor="middle", font_weight="bold")


def _posts(canvas: Canvas, scenario: Scenario, at: Layout) -> None:
    """Stocks as boxes with their names on up to two lines."""
    colours = dict(zip(scenario.roles, COLOURS * 9, strict=False))
    for post in scenario.posts:
        x, y = at.boxes[post.post]
        title = f"<title>{escape(post.post)}</title>"
        canvas.add("rect", title, x=x, y=y, width=BOX_W, height=BOX_H, rx=3, fill="white",
                   stroke=colours[post.role], stroke_width=2)  # fmt: skip
        lines = wrapped(_label(scenario, post), 15)
        for i, line in enumerate(lines):
            canvas.text(x + BOX_W / 2, y + BOX_H / 2 + 4 + 13 * (i - (len(lines) - 1) / 2), line,
                        text_anchor="middle")  # fmt: skip
        if post.split:
            canvas.add("rect", x=x + 3, y=y + 3, width=BOX_W - 6, height=BOX_H - 6, rx=2, fill="none",
                       stroke=colours[post.role])  # fmt: skip
            away = {name: share for name, share in post.split.items() if name != post.environment}
            words = ", ".join(f"{share:.0%} {scenario.environments[name]}" for name, share in away.items())
            canvas.text(x + 2, y + BOX_H + 9, shorten(words, 20), 8)


def _label(scenario: Scenario, post: Post) -> str:
    """What tells a post from the others of its cell (grade, place, attributes); alone there, its role."""
    cell = [p for p in scenario.posts if (p.role, p.environment) == (post.role, post.environment)]
    grade = scenario.grades.get(post.grade, post.grade)
    place = scenario.places.get(post.place, post.place)
    words = " ".join(part for part in (grade, place) if part)
    if words:
        return words
    return scenario.roles.get(post.role, post.role) if len(cell) == 1 else post.post


def wrapped(text: str, n: int) -> list[str]:
    """Text on at most two lines of n letters, broken after spaces, dots, dashes, slashes and underscores."""
    lines = [""]
    for part in re.findall(r"[^\s._/-]*(?:[\s._/-]+|$)", text):
        if lines[-1] and len((lines[-1] + part).strip(" _")) > n:
            lines.append("")
        lines[-1] += part
    found = [line.replace("_", " ").strip() for line in lines if line.strip()]
    return [shorten(line, n) for line in (found[0], " ".join(found[1:])) if line] if found else [text]


def _edges(canvas: Canvas, scenario: Scenario, at: Layout) -> None:
    """Moves as arcs (both ways in one), promotions and role changes as straight arrows."""
    colours = dict(zip(scenario.roles, COLOURS * 9, strict=False))
    role = {post.post: post.role for post in scenario.posts}
    rates = {(e.from_, e.to): e.rate.value for e in scenario.moves.edges} if scenario.moves else {}
    fastest = max(rates.values(), default=0.0) or 1.0
    drawn = set()
    for source, target, kind in edges_of(scenario):
        if kind == "move":
            if (target, source) in drawn:
                continue
            drawn.add((source, target))
            both = (target, source) in rates
            rate = max(rates[source, target], rates.get((target, source), 0.0))
            title = f"{source} {'↔' if both else '→'} {target}"
            path = _arc(at.boxes[source], at.boxes[target])
            canvas.arrow(path, colours[role[source]], 0.6 + 2.0 * rate / fastest, title, both, opacity=0.6)
        else:
            path = _straight(at.boxes[source], at.boxes[target])
            canvas.arrow(path, INK, 1.6, f"{source} → {target} ({kind.replace('_', ' ')})")


def _arc(a: Point, b: Point) -> str:
    """From the top of one box over the row to the top of another; in one column, along the right."""
    if abs(a[0] - b[0]) < 1.0:
        x, y1, y2 = a[0] + BOX_W, a[1] + BOX_H / 2, b[1] + BOX_H / 2
        return f"M{x:.1f},{y1:.1f} C{x + 16:.1f},{y1:.1f} {x + 16:.1f},{y2:.1f} {x:.1f},{y2:.1f}"
    span = abs(b[0] - a[0]) / (BOX_W + GAP)
    shift = 6.0 + 5.0 * span
    way = 1.0 if b[0] >= a[0] else -1.0
    x1, x2 = a[0] + BOX_W / 2 + way * shift, b[0] + BOX_W / 2 - way * shift
    top = min(a[1], b[1]) - (8.0 + ARC * max(span, 1.0)) * 4 / 3
    return f"M{x1:.1f},{a[1]:.1f} C{x1:.1f},{top:.1f} {x2:.1f},{top:.1f} {x2:.1f},{b[1]:.1f}"


def _straight(a: Point, b: Point) -> str:
    """From one box to another of the same or another row, at the edge of the column."""
    if abs(a[0] - b[0]) < 1.0:
        x = a[0] + BOX_W - 14
        y1, y2 = (a[1], b[1] + BOX_H) if b[1] < a[1] else (a[1] + BOX_H, b[1])
        return f"M{x:.1f},{y1:.1f} L{x:.1f},{y2:.1f}"
    y1, y2 = (a[1], b[1] + BOX_H) if b[1] < a[1] else (a[1] + BOX_H, b[1])
    return f"M{a[0] + BOX_W / 2:.1f},{y1:.1f} L{b[0] + BOX_W / 2:.1f},{y2:.1f}"


def _conveyors(canvas: Canvas, scenario: Scenario, at: Layout) -> float:
    """Pipelines as conveyors beside the row of their role; returns the lower end."""
    lowest = TOP
    for role, (top, _) in at.rows.items():
        for k, (name, pipeline) in enumerate(_pipelines(scenario, role)):
            y = top + 34 + 64.0 * k
            inside = pipeline.kind == "internal"
            title = f"{name.replace('_', ' ')}{' (inside posts)' if inside else ''}"
            canvas.text(MARGIN, y - 5, shorten(title, 38), 10, font_weight="bold")
            if isinstance(pipeline, ExternalPipeline):
                stages = [(stage.name, stage.months) for stage in pipeline.stages]
                if pipeline.exam:
                    stages.append(("examination", 0))
            else:
                stages = [("training", pipeline.months), ("waiting for a post", 0)]
            width = (LEFT - MARGIN - 34) / len(stages)
            for i, (stage, months) in enumerate(stages):
                _stage(canvas, MARGIN + i * width, y, width, stage, months)
            dash: dict[str, Any] = {"stroke_dasharray": "5 3"} if inside else {}
            canvas.arrow(f"M{LEFT - 32:.1f},{y + 16:.1f} L{LEFT - 2:.1f},{y + 16:.1f}", INK, 1.6, **dash)
            lowest = max(lowest, y + 40)
    return lowest


def _stage(canvas: Canvas, x: float, y: float, width: float, name: str, months: int) -> None:
    """One stage of a conveyor: a box with a pointed end."""
    tip = 8.0
    points = [(0, 0), (width - tip, 0), (width, 16), (width - tip, 32), (0, 32), (tip, 16)]
    canvas.add("polygon", points=" ".join(f"{x + px:.1f},{y + py:.1f}" for px, py in points), fill="#E8F1F8",
               stroke="#6C8EAD")  # fmt: skip
    room = max(int((width - 20) / 5.4), 3)
    canvas.text(x + width / 2, y + (14 if months else 20), shorten(name.replace("_", " "), room), 9,
                text_anchor="middle")  # fmt: skip
    if months:
        canvas.text(x + width / 2, y + 26, f"{months} mo", 9, text_anchor="middle")


def _sources(canvas: Canvas, scenario: Scenario, at: Layout, lowest: float) -> float:
    """Clouds people are hired from, joined to every row by a line on the left."""
    outside = [s.name for s in scenario.hiring.sources if s.supply is not None] if scenario.hiring else []
    if not outside:
        return lowest
    spine = LEFT - 16
    y = max(lowest + 20, at.bottom - 34.0 * len(outside))
    for name in outside:
        canvas.cloud(MARGIN, y, name)
        canvas.add("path", d=f"M{MARGIN + 170},{y:.1f} L{spine:.1f},{y:.1f}", fill="none", stroke=INK)
        y += 34
    ends = [bottom - 14 for _, bottom in at.rows.values()]
    span = f"M{spine:.1f},{max(y - 34, *ends):.1f} L{spine:.1f},{min(ends):.1f}"
    canvas.add("path", d=span, fill="none", stroke=INK)
    for end in ends:
        canvas.arrow(f"M{spine:.1f},{end:.1f} L{LEFT - 2:.1f},{end:.1f}")
    return y


def _sinks(canvas: Canvas, scenario: Scenario, at: Layout) -> float:
    """Clouds people leave to, and pools they come back from, joined to every row on the right."""
    sinks = [name for name, flow in scenario.leaving.items() if not flow.into]
    if scenario.retirement is not None:
        sinks.append("retired")
    spine, x = at.width + 18, at.width + 44
    y = TOP + 20
    first = y
    for name in sinks:
        canvas.cloud(x, y, name)
        canvas.arrow(f"M{spine:.1f},{y:.1f} L{x - 2:.1f},{y:.1f}")
        y += 40
    for name in scenario.pools:
        canvas.add("rect", x=x, y=y - 16, width=170, height=32, rx=3, fill="#FFF7E6", stroke="#B8860B")
        canvas.text(x + 85, y + 4, shorten(name.replace("_", " "), 24), text_anchor="middle")
        path = f"M{spine:.1f},{y:.1f} L{x - 2:.1f},{y:.1f}"
        canvas.arrow(path, title=f"{name}: people may come back", both=True)
        y += 46
    middles = [(top + bottom) / 2 for top, bottom in at.rows.values()]
    if sinks or scenario.pools:
        ends = [*middles, first, y - (46 if scenario.pools else 40)]
        canvas.add(
            "path", d=f"M{spine:.1f},{min(ends):.1f} L{spine:.1f},{max(ends):.1f}", fill="none", stroke=INK
        )
        for middle in middles:
            canvas.add(
                "path", d=f"M{at.width:.1f},{middle:.1f} L{spine:.1f},{middle:.1f}", fill="none", stroke=INK
            )
    return y


def _legend(canvas: Canvas, scenario: Scenario, y: float, width: float) -> float:
    """What the signs mean, on as many lines as it takes; returns the height of the last."""
    words = ["boxes: posts", "coloured arcs: moves, thicker is faster"]
    if scenario.promotions or any(p.kind == "internal" for p in scenario.pipelines.values()):
        words.append("straight arrows: promotions and role changes")
    if any(post.split for post in scenario.posts):
        words.append("double frames: joint posts, with the share of time elsewhere")
    words += ["dashed clouds: outside", "amber: people who may come back"] if scenario.pools else []
    lines = [words[0]]
    for word in words[1:]:
        joined = f"{lines[-1]}  ·  {word}"
        if 6.2 * len(joined) > width - 2 * MARGIN:
            lines.append(word)
        else:
            lines[-1] = joined
    for i, line in enumerate(lines):
        canvas.text(MARGIN, y + 14 * i, line, 10)
    return y + 14 * (len(lines) - 1)
