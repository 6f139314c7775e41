"""Charts: geometry that a page and a PDF draw alike."""

import math
import re

import pytest
from django.template.loader import render_to_string

from config import charts, tones
from config.charts import Bar, Part


def test_a_trend_has_a_gap_where_there_is_no_value() -> None:
    chart = charts.trend([("a", 1), ("b", None), ("c", 3), ("d", 4)], title="Drift")
    assert chart.line.count("M") == 2
    assert [text for _, _, text in chart.dots] == ["a: 1", "c: 3", "d: 4"]


def test_a_trend_is_told_in_words_too() -> None:
    chart = charts.trend([("May", 0.91), ("June", 0.957)], title="Compliance", percent=True)
    assert chart.description == "From 91 % (May) to 95.7 % (June)."


def test_higher_values_stand_higher() -> None:
    chart = charts.trend([("a", 1), ("b", 5), ("c", 2)], title="Drift")
    heights = [y for _, y, _ in chart.dots]
    assert heights[1] < heights[2] < heights[0]


@pytest.mark.parametrize("points", [[], [("a", None)], [("a", 0)], [("a", 1.0)], [("a", 5), ("b", 5)]])
def test_a_trend_of_next_to_nothing_can_be_drawn(points: list[tuple[str, float | None]]) -> None:
    for percent in (True, False):
        chart = charts.trend(points, title="Drift", percent=percent)
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", chart.line + chart.area)]
        assert all(math.isfinite(number) for number in numbers)


def test_shares_near_the_top_get_a_scale_that_shows_their_changes() -> None:
    chart = charts.trend([("a", 0.97), ("b", 0.99)], title="Compliance", percent=True)
    assert [tick.text for tick in chart.rows] == ["90 %", "92.5 %", "95 %", "97.5 %", "100 %"]


def test_long_trends_have_few_labels_with_both_ends_among_them() -> None:
    chart = charts.trend([(f"day {n}", n) for n in range(400)], title="Drift")
    texts = [tick.text for tick in chart.columns]
    assert len(texts) == 6
    assert (texts[0], texts[-1]) == ("day 0", "day 399")


def test_the_longest_bar_fills_the_room() -> None:
    chart = charts.bars([Bar("a", 40), Bar("b", 10), Bar("c", 0)], title="By plugin")
    assert [drawn.width for drawn in chart.bars] == [100, 25, 0]


def test_parts_make_up_the_whole_and_empty_ones_are_left_out() -> None:
    chart = charts.stack([Part("New", 1, "red"), Part("None", 0), Part("Done", 3, "green")], title="Findings")
    assert [drawn.part.label for drawn in chart.parts] == ["New", "Done"]
    assert chart.parts[0].width + chart.parts[1].width == charts.WIDTH


@pytest.mark.parametrize(("share", "text"), [(None, "–"), (0.0, "0 %"), (0.9996, "99.9 %"), (1.0, "100 %")])
def test_a_ring_says_a_hundred_only_when_it_is(share: float | None, text: str) -> None:
    assert charts.donut(share, title="Compliance").text == text


def test_every_tone_has_a_colour_for_print() -> None:
    assert set(tones.TONES.values()) <= set(charts.PRINT_COLOURS)


@pytest.mark.parametrize(
    ("template", "chart"),
    [
        ("trend", charts.trend([("a", 1), ("b", 2)], title="Rise & fall")),
        ("sparkline", charts.sparkline([1, None, 3], title="Rise & fall")),
        ("bars", charts.bars([Bar("<script>", 3, "/x/")], title="Rise & fall")),
        ("stack", charts.stack([Part("a", 1)], title="Rise & fall")),
        ("donut", charts.donut(0.5, title="Rise & fall")),
    ],
)
def test_charts_are_drawn_with_a_title_and_without_inline_style(template: str, chart: object) -> None:
    drawn = render_to_string(f"charts/{template}.html", {"chart": chart})
    assert re.search(r"<title id=\"[^\"]+\">Rise &amp; fall", drawn)
    assert "style=" not in drawn
    assert "<script>" not in drawn
