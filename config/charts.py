"""Charts as geometry; templates/charts/ draws them as SVG, the same for a page and for a PDF.

Colours are given as presentation attributes, which the Content-Security-Policy allows and a PDF needs; on a
page the stylesheet replaces them, so that they follow the theme.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from config.templatetags.plumbline import percent as as_percent

PRINT_COLOURS = {
    "blue": "#066fd1",
    "azure": "#4299e1",
    "cyan": "#17a2b8",
    "green": "#2fb344",
    "yellow": "#f59f00",
    "orange": "#f76707",
    "red": "#d63939",
    "purple": "#ae3ec9",
    "secondary": "#6b7a90",
}


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, and the text beside it."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A value over time."""

    id: int
    title: str
    description: str
    width: int
    height: int
    line: str
    area: str
    dots: list[tuple[float, float, str]]
    rows: list[Tick]
    columns: list[Tick]
    tone: str
    colour: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing and how many of it; `tone` is a colour of config.tones."""

    label: str
    value: float
    url: str = ""
    tone: str = "blue"
    text: str = ""


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """A bar with its place; `width` is in per cent."""

    bar: Bar
    y: int
    width: float
    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A breakdown, one bar under the other."""

    id: int
    title: str
    description: str
    height: int
    bars: list[DrawnBar]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a whole."""

    label: str
    value: float
    tone: str = "blue"


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """A part with its place."""

    part: Part
    x: float
    width: float
    colour: str


@dataclass(frozen=True, slots=True)
class Stack:
    """A whole and its parts, in one bar."""

    id: int
    title: str
    description: str
    parts: list[DrawnPart]


@dataclass(frozen=True, slots=True)
class Donut:
    """A share of a whole, as a ring."""

    id: int
    title: str
    text: str
    dash: str
    tone: str
    colour: str


WIDTH = 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 24
_BAR_HEIGHT = 36
_FULL = 100  # bars are shares of the room that they get, so that their labels keep their size in any


def trend(
    points: Sequence[tuple[str, float | None]],
    *,
    title: str,
    percent: bool = False,
    tone: str = "blue",
    height: int = 220,
) -> Trend:
    """A line through the points, with a gap where there is no value."""
    low, high = _bounds([value for _, value in points if value is not None], percent=percent)
    placed = [
        (_x(index, len(points)), None if value is None else _y(value, low, high, height))
        for index, (_, value) in enumerate(points)
    ]
    texts = [f"{label}: {_written(value, percent=percent)}" for label, value in points]
    return Trend(
        id=_id(title),
        title=title,
        description=_summary(points, percent=percent),
        width=WIDTH,
        height=height,
        line=_path(placed),
        area=_area(placed, height - _BOTTOM),
        dots=[(x, y, text) for (x, y), text in zip(placed, texts, strict=True) if y is not None],
        rows=[Tick(_y(v, low, high, height), _written(v, percent=percent)) for v in _steps(low, high)],
        columns=_columns([label for label, _ in points]),
        tone=tone,
        colour=PRINT_COLOURS[tone],
    )


def sparkline(
    values: Sequence[float | None], *, title: str, tone: str = "blue", percent: bool = False
) -> Trend:
    """A small line without axes."""
    points = [(str(index + 1), value) for index, value in enumerate(values)]
    return trend(points, title=title, percent=percent, tone=tone, height=80)


def bars(items: Sequence[Bar], *, title: str) -> Bars:
    """A breakdown in the order given."""
    longest = max((item.value for item in items), default=0) or 1
    drawn = [
        DrawnBar(
            bar=item,
            y=index * _BAR_HEIGHT,
            width=round(item.value / longest * _FULL, 1),
            text=item.text or f"{item.value:,g}",
            colour=PRINT_COLOURS[item.tone],
        )
        for index, item in enumerate(items)
    ]
    spoken = "; ".join(f"{bar.bar.label}: {bar.text}" for bar in drawn)
    return Bars(_id(title), title, spoken, len(items) * _BAR_HEIGHT, drawn)


def stack(parts: Sequence[Part], *, title: str) -> Stack:
    """A whole and its parts; parts of nothing are left out."""
    present = [part for part in parts if part.value]
    whole = sum(part.value for part in present) or 1
    drawn, x = [], 0.0
    for part in present:
        width = part.value / whole * WIDTH
        drawn.append(DrawnPart(part, round(x, 1), round(width, 1), PRINT_COLOURS[part.tone]))
        x += width
    return Stack(_id(title), title, "; ".join(f"{part.label}: {part.value:,g}" for part in present), drawn)


def donut(share: float | None, *, title: str, tone: str = "green") -> Donut:
    """A share between 0 and 1 as a ring."""
    around = 2 * math.pi * 42
    filled = min(max(share or 0.0, 0.0), 1.0) * around
    return Donut(
        _id(title), title, as_percent(share), f"{filled:.2f} {around - filled:.2f}", tone, PRINT_COLOURS[tone]
    )


def _id(title: str) -> int:
    """Ties the drawing to its title; made from it, so that equal reports are equal files."""
    return zlib.crc32(title.encode())


def _bounds(values: Sequence[float], *, percent: bool) -> tuple[float, float]:
    """The axis: from nothing, but for shares near the top, where a full scale would hide every change."""
    top = 1.0 if percent else max(values, default=1.0) or 1.0
    bottom = min(values, default=0.0)
    if percent and bottom > 0.5:
        return math.floor(bottom * 10 - 1e-9) / 10, top
    return 0.0, (top if percent else _rounded_up(top))


def _rounded_up(value: float) -> float:
    """The next value that makes four even steps."""
    magnitude: float = 10.0 ** math.floor(math.log10(value))
    for factor in (1, 2, 4, 8, 10):
        if value <= factor * magnitude:
            return max(factor * magnitude, 4.0)
    return 10 * magnitude


def _steps(low: float, high: float) -> list[float]:
    return [low + (high - low) * step / 4 for step in range(5)]


def _x(index: int, count: int) -> float:
    room = WIDTH - _LEFT - _RIGHT
    return round(_LEFT + (room * index / (count - 1) if count > 1 else room / 2), 1)


def _y(value: float, low: float, high: float, height: int) -> float:
    room = height - _TOP - _BOTTOM
    return round(_TOP + room * (1 - (value - low) / ((high - low) or 1)), 1)


def _runs(placed: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """The stretches without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in placed:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def _path(placed: Sequence[tuple[float, float | None]]) -> str:
    return " ".join("M" + " L".join(f"{x} {y}" for x, y in run) for run in _runs(placed))


def _area(placed: Sequence[tuple[float, float | None]], floor: float) -> str:
    return " ".join(
        f"M{run[0][0]} {floor} L" + " L".join(f"{x} {y}" for x, y in run) + f" L{run[-1][0]} {floor} Z"
        for run in _runs(placed)
    )


def _columns(labels: Sequence[str]) -> list[Tick]:
    """At most six labels, the first and the last among them."""
    count = len(labels)
    shown = sorted({round(i * (count - 1) / min(5, max(count - 1, 1))) for i in range(min(6, count))})
    return [Tick(_x(index, count), labels[index]) for index in shown]


def _written(value: float | None, *, percent: bool) -> str:
    if value is None:
        return "no value"
    return as_percent(value) if percent else f"{value:,g}"


def _summary(points: Sequence[tuple[str, float | None]], *, percent: bool) -> str:
    known = [(label, value) for label, value in points if value is not None]
    if not known:
        return "There are no values yet."
    (first, start), (last, end) = known[0], known[-1]
    return f"From {_written(start, percent=percent)} ({first}) to {_written(end, percent=percent)} ({last})."
