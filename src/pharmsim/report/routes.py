"""Where the arrows and words of a diagram go, so that they keep clear of boxes and of each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
BENDS = (0.0, 0.08, -0.08, 0.16, -0.16, 0.24, -0.24, 0.34, -0.34, 0.46, -0.46, 0.6, -0.6)
"""How far the middle of an arrow may stand off the straight line, as a share of twice its length."""
SAMPLES = 41
LETTER = 0.6
"""Width of a letter as a share of its height."""


def grown(box: Box, by: float) -> Box:
    """A box with a margin."""
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes have a point in common."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(points: Floats, box: Box) -> NDArray[np.bool_]:
    """Which points are in a box, shape (points,)."""
    x, y = points[:, 0], points[:, 1]
    return np.asarray((x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3]))


def words_box(x: float, y: float, lines: Sequence[str], size: float) -> Box:
    """The box of centred lines of text whose middle is at (x, y)."""
    half = LETTER * size * max(len(line) for line in lines) / 2.0
    tall = 1.2 * size * len(lines) / 2.0
    return x - half, y - tall, x + half, y + tall


class Routes:
    """Boxes that stand, arrows drawn so far, words written so far.

    Attributes
    ----------
    boxes : dict
        name → box.
    curves : list of float array, shape (points, 2)
        Arrows from the edge of one box to that of another.
    words : list of Box
    """

    def __init__(self, boxes: dict[str, Box]) -> None:
        self.boxes = boxes
        self.curves: list[Floats] = []
        self.words: list[Box] = []

    def arrow(self, source: str, target: str) -> Floats:
        """Choose the way of an arrow and keep it.

        Returns
        -------
        ndarray of float, shape (3, 2)
            Start, control point and end of a quadratic curve.
        """
        ways = [self._way(source, target, bend) for bend in BENDS]
        costs = [self._cost(way, bend, source, target) for way, bend in zip(ways, BENDS, strict=True)]
        best = ways[int(np.argmin(costs))]
        self.curves.append(curve(best))
        return best

    def _way(self, source: str, target: str, bend: float) -> Floats:
        """A curve between two boxes, cut off at their edges."""
        a, b = middle(self.boxes[source]), middle(self.boxes[target])
        along = b - a
        control = (a + b) / 2.0 + bend * 2.0 * np.array([along[1], -along[0]]) / 2.0
        points = curve(np.array([a, control, b]), 401)
        start, end = grown(self.boxes[source], 2.0), grown(self.boxes[target], 4.0)
        out = ~inside(points, start) & ~inside(points, end)
        found = np.flatnonzero(out)
        if len(found) < 2:
            return np.array([a, control, b])
        first, last = found[0] / 400.0, found[-1] / 400.0
        return part(np.array([a, control, b]), first, last)

    def _cost(self, way: Floats, bend: float, source: str, target: str) -> float:
        """What speaks against a way: bends, boxes in it, arrows crossed or run along, crowded heads."""
        points = curve(way)
        cost = 60.0 * abs(bend)
        for name, box in self.boxes.items():
            if name not in (source, target):
                cost += 60.0 * float(inside(points, grown(box, 9.0)).sum())
        for other in self.curves:
            gaps = np.hypot(*(points[:, None, :] - other[None, :, :]).transpose(2, 0, 1))
            near = float((gaps.min(axis=1) < 9.0).sum())
            cost += 5.0 * near + (25.0 if gaps[-1, -1] < 16.0 or gaps[-1, 0] < 12.0 else 0.0)
        for box in self.words:
            cost += 20.0 * float(inside(points, box).sum())
        return cost

    def write(self, places: Iterable[tuple[float, float]], lines: Sequence[str], size: float) -> Box:
        """Choose the first place where words touch nothing, or the one where they touch least.

        Parameters
        ----------
        places : iterable of (x, y)
            Middles, the preferred ones first.
        lines : sequence of str
        size : float
            Height of the letters.

        Returns
        -------
        Box
        """
        best: tuple[float, Box] | None = None
        for rank, (x, y) in enumerate(places):
            box = words_box(x, y, lines, size)
            hard = sum(overlap(box, other) for other in (*self.boxes.values(), *self.words))
            soft = sum(float(inside(other, grown(box, 1.0)).sum()) for other in self.curves)
            cost = 1000.0 * hard + 10.0 * soft + 0.1 * rank
            if best is None or cost < best[0]:
                best = cost, box
            if hard == 0 and soft == 0:
                break
        assert best is not None
        self.words.append(best[1])
        return best[1]


def middle(box: Box) -> Floats:
    """Middle of a box."""
    return np.array([(box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0])


def curve(way: Floats, n: int = SAMPLES) -> Floats:
    """Points of a quadratic curve, shape (n, 2)."""
    t = np.linspace(0.0, 1.0, n)[:, None]
    return np.asarray((1 - t) ** 2 * way[0] + 2 * t * (1 - t) * way[1] + t**2 * way[2])


def part(way: Floats, first: float, last: float) -> Floats:
    """The stretch of a quadratic curve between two of its parameters."""

    def at(t: float, u: float) -> Floats:
        a, b = (1 - t) * way[0] + t * way[1], (1 - t) * way[1] + t * way[2]
        return np.asarray((1 - u) * a + u * b)

    return np.array([at(first, first), at(first, last), at(last, last)])


def beside(points: Floats, at: Sequence[float], off: Sequence[float]) -> list[tuple[float, float]]:
    """Places beside a curve: at shares of its length, so far off to either side."""
    out = []
    for share in at:
        i = min(max(round(share * (len(points) - 1)), 1), len(points) - 2)
        along = points[i + 1] - points[i - 1]
        normal = np.array([along[1], -along[0]]) / (np.hypot(*along) or 1.0)
        for distance in off:
            for side in (1.0, -1.0) if distance else (1.0,):
                x, y = points[i] + side * distance * normal
                out.append((float(x), float(y)))
    return out
