"""The charts of reports: valid SVG, readable without seeing it, and safe with any name in it."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from studio.profiling import chart
from studio.profiling.chart import latency_figure
from studio.profiling.results import Comparison, ProfileResult, ProfileRun
from studio.profiling.svg_plot import Axis, Plot, Series, nice, shortened
from studio.runtime.bench.facts import Percentiles

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "\"<script>&'\x00\x1b\ud800\uffff" + "x" * 100


def run(name: str, middle: float) -> ProfileRun:
    distribution = (*(middle * (0.9 + index / 500) for index in range(100)), middle * 50)
    return ProfileRun(name, latency_ms=Percentiles(middle), distribution=distribution)


def verdict(name: str, ratio: float | None, word: str = "faster") -> Comparison:
    low, high = (None, None) if ratio is None else (ratio - 0.02, ratio + 0.02)
    return Comparison("fp32", name, ratio, low, high, word, 0.03, 0.95, 40)


CHARTS: dict[str, Callable[[str], str]] = {
    "distributions": lambda name: chart.distributions([run(name, 1.8), run("int8", 0.9)]),
    "intervals": lambda name: chart.intervals([verdict(name, 0.8), verdict("b", None)]),
    "tradeoff": lambda name: chart.tradeoff([(name, 1.8, 0.98, 400), ("b", 1, 0.9, None)], name),
    "settings": lambda name: chart.settings({name: [("1 × 1", 10, 9, 12)], "b": []}),
    "lines": lambda name: chart.lines({name: [(1, 2), (2, 4)], "b": []}, "Seconds", name, 3.0),
}


def texts(root: ElementTree.Element) -> list[str]:
    return [str(one.text) for one in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_valid_and_has_a_title_and_a_description(name: str) -> None:
    root = ElementTree.fromstring(CHARTS[name]("fp32"))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, description = root[0], root[1]
    assert (title.tag, description.tag) == (f"{SVG}title", f"{SVG}desc")
    assert title.text
    assert description.text
    assert "fp32" in description.text
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        *("svg", "title", "desc", "rect", "line", "text", "polyline", "circle"),
    }, "nothing that loads or runs anything"


@pytest.mark.parametrize("name", CHARTS)
def test_any_name_is_text_and_nothing_else(name: str) -> None:
    root = ElementTree.fromstring(CHARTS[name](NASTY))
    assert root.find(f".//{SVG}script") is None
    assert any(NASTY[:9] in text for text in texts(root))
    assert all(len(text) <= 80 for text in texts(root))


@pytest.mark.parametrize("name", CHARTS)
def test_every_mark_lies_within_the_picture(name: str) -> None:
    root = ElementTree.fromstring(CHARTS[name]("fp32"))
    height = float(str(root.get("height")))
    for one in root.iter():
        places = [
            *((float(str(one.get(key))), 720.0) for key in ("x1", "x2", "cx") if one.get(key)),
            *((float(str(one.get(key))), height) for key in ("y1", "y2", "cy") if one.get(key)),
        ]
        for pair in (one.get("points") or "").split():
            x, y = pair.split(",")
            places += [(float(x), 720.0), (float(y), height)]
        assert all(-0.01 <= place <= most + 0.01 for place, most in places), one.attrib


def test_the_same_profile_gives_the_same_bytes() -> None:
    assert CHARTS["distributions"]("a") == CHARTS["distributions"]("a")
    assert latency_figure(ProfileResult()) == ""


def test_a_line_ends_where_it_leaves_the_axis() -> None:
    plot = Plot("t", "d", Axis(0, 10, "x"), Axis(0, 10, "y"))
    plot.line([(-10, 0), (10, 10), (20, 10), (math.nan, 1), (8, 1)], Series("a", "#000000"))
    root = ElementTree.fromstring(plot.svg())
    drawn = [one.get("points") for one in root.iter(f"{SVG}polyline")]
    assert len(drawn) == 1
    first, last = (
        pair.split(",") for pair in str(drawn[0]).split()[:: len(str(drawn[0]).split()) - 1]
    )
    middle = (plot._y(0) + plot._y(10)) / 2
    assert float(first[1]) == pytest.approx(middle, abs=0.1), "it enters at half of its height"
    assert float(last[0]) == pytest.approx(plot._x(10), abs=0.1)


def test_what_is_not_finite_is_left_out() -> None:
    plot = Plot("t", "d", Axis(0, 1, "x"), Axis(0, 1, "y"))
    plot.dot(math.nan, 0.5, "#000000")
    plot.interval(((0.1, 0.5), (math.inf, 0.5)), "#000000")
    plot.band(2, 3, "#000000")
    plot.upright(9, "#000000")
    plot.level(-1, "#000000")
    assert plot._marks == []
    drawn = ElementTree.fromstring(chart.tradeoff([("a", math.nan, 1, 1), ("b", 1, 2, 1)], "q"))
    assert not [one.attrib for one in drawn.iter() if "nan" in one.attrib.values()]
    assert "b, 1e-06 MB" in texts(drawn)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.0341, 0.21, [0.05, 0.1, 0.15, 0.2]),
        (-3, 3, [-2, 0, 2]),
        (0, 87_000, [0, 20_000, 40_000, 60_000, 80_000]),
        (5, 5, [5]),
        (math.nan, math.nan, []),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert nice(low, high, 6) == pytest.approx(expected)


def test_series_are_told_apart_without_colours() -> None:
    looks = chart.series_of(["a", "b", "c", "d"])
    assert len({one.dashes for one in looks}) == 4


def test_a_long_text_keeps_both_its_ends() -> None:
    text = shortened("model-with-a-name-that-does-not-end:int8-variant")
    assert len(text) <= 36
    assert text.startswith("model-with")
    assert text.endswith("int8-variant")


def test_a_report_loads_no_matplotlib_and_no_numpy() -> None:
    code = (
        "import sys\n"
        "from studio.profiling.export import html\n"
        "import studio.pipelines.report\n"
        "run = {'id': 'a', 'state': 'measured', 'latency_ms': {'p50': 1.0},\n"
        "       'distribution': [1 + i / 100 for i in range(101)]}\n"
        "assert 'data:image/svg+xml' in html({'runs': [run], 'verdicts': []})\n"
        "print(sorted({'matplotlib', 'PySide6'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
