"""Charts: what they say, that they are drawn sharp, in the theme's colours, and quickly."""

from __future__ import annotations

import subprocess
import sys

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.charts.chart import Chart, render
from studio.gui.charts.distribution import Distribution, Spread, density, quantile
from studio.gui.charts.plot import ticks
from studio.gui.charts.tradeoff import Point, Tradeoff, front
from studio.gui.theme import Theming, load


def spread(name: str, middle: float, token: str = "dim") -> Spread:
    samples = numpy.random.default_rng(3).normal(middle, 0.05 * middle, 400)
    return Spread(name, tuple(float(value) for value in samples), middle, token)


TWO = Distribution((spread("fp32", 18.9), spread("int8", 12.1, "accent")))
POINTS = (Point("fp32", 16.5, 0.981), Point("int8", 6.1, 0.976, True), Point("bad", 9.0, 0.2))


def test_front_is_what_no_other_point_beats() -> None:
    assert [point.name for point in front(POINTS)] == ["int8", "fp32"]


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.floats(0.1, 100), st.floats(0, 1)).map(lambda xy: Point("", *xy)), min_size=1
    )
)
def test_front_leaves_nothing_better_out(points: list[Point]) -> None:
    chosen = front(points)
    for point in points:
        assert any(c.cost <= point.cost and c.quality >= point.quality for c in chosen)


def test_density_has_its_peak_at_the_bulk_whatever_the_outliers() -> None:
    samples = [*map(float, numpy.random.default_rng(1).normal(10, 0.2, 300)), 90.0, 95.0]
    grid = [float(x) for x in numpy.linspace(8, 100, 500)]
    heights = density(samples, grid)
    assert max(heights) == 1
    assert grid[heights.index(1)] == pytest.approx(10, abs=0.5)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 1))
def test_quantiles_are_numpys(samples: list[float], share: float) -> None:
    assert quantile(samples, share) == pytest.approx(numpy.quantile(samples, share), abs=1e-6)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6))
def test_ticks_are_round_and_within(low: float, span: float) -> None:
    found = ticks(low, low + span, 5)
    assert len(found) <= 6
    assert all(low - 1e-6 * span <= each <= low + span * (1 + 1e-6) for each in found)
    assert found == sorted(found)


@pytest.mark.parametrize(
    "drawing", [TWO, Tradeoff(POINTS, "size, MB", "Top-1")], ids=("distribution", "tradeoff")
)
@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_picture_is_sharp_and_in_the_colours_of_the_theme(
    qapp: QApplication, drawing: Distribution | Tradeoff, name: str, scale: float
) -> None:
    theme = load(name)
    image, _spots = render(drawing, theme, QSize(320, 200), scale)
    assert (image.width(), image.height()) == (320 * scale, 200 * scale)
    assert image.devicePixelRatio() == scale
    assert image.pixelColor(1, 1) == QColor(theme.colors["surface"])
    assert colors(image) & {QColor(theme.colors["accent"]).rgb()}


def test_equal_samples_can_be_drawn(qapp: QApplication) -> None:
    same = Distribution((Spread("int8", (3.0,) * 20, 3.0),))
    assert len(colors(render(same, load("dark"), QSize(240, 160), 1)[0])) > 2


def test_chart_draws_again_for_another_theme(qtbot: QtBot) -> None:
    theming = Theming("dark")
    chart = Chart(theming, "Latency")
    qtbot.addWidget(chart)
    chart.resize(300, 200)
    chart.show()
    with qtbot.wait_signal(chart.drawn, timeout=5_000):
        chart.show_drawing(TWO)
    assert "int8 12.1 ms" in chart.accessibleDescription()
    before = chart.image()
    with qtbot.wait_signal(chart.drawn, timeout=5_000):
        theming.choose("light")
    after = chart.image()
    assert before is not None
    assert after is not None
    assert after.pixelColor(1, 1) == QColor(load("light").colors["surface"])
    assert before.pixelColor(1, 1) == QColor(load("dark").colors["surface"])


def test_points_are_picked_by_mouse_and_keys(qtbot: QtBot) -> None:
    chart = Chart(Theming("dark"), "Trade-off")
    qtbot.addWidget(chart)
    chart.resize(320, 200)
    points = (Point("fp32", 16.5, 0.981, key=0), Point("int8", 6.1, 0.976, key=1))
    chart.show()
    with qtbot.wait_signal(chart.drawn, timeout=5_000):
        chart.show_drawing(Tradeoff(points, "ms", "Top-1"))
    spot = next(spot for spot in chart.spots if spot.key == 1)
    place = QPoint(round(spot.x * chart.width()), round(spot.y * chart.height()))
    with qtbot.wait_signal(chart.picked, timeout=5_000) as picked:
        qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=place)
    assert picked.args == [1]
    with qtbot.wait_signal(chart.picked, timeout=5_000) as picked:
        qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert picked.args == [1], "the leftmost one"
    with qtbot.wait_signal(chart.picked, timeout=5_000) as picked:
        qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert picked.args == [0]


def test_matplotlib_is_not_loaded_with_the_pages() -> None:
    modules = "chart distribution tradeoff time_chart"
    program = (
        f"import importlib, sys\nfor name in {modules.split()!r}:\n"
        "    importlib.import_module(f'studio.gui.charts.{name}')\n"
        "for name in ('quantize', 'profile', 'deploy', 'monitor', 'targets', 'plugins'):\n"
        "    importlib.import_module(f'studio.gui.pages.{name}.page')\n"
        "print(sorted({'matplotlib', 'numpy', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def near(color: QColor, image: QImage) -> bool:
    """Whether some pixel has about this colour; lines are antialiased."""
    wanted = numpy.array(color.getRgb()[:3])
    found = (numpy.array(QColor.fromRgb(rgb).getRgb()[:3]) for rgb in colors(image))
    return any(numpy.abs(each - wanted).max() < 48 for each in found)


def colors(image: QImage) -> set[int]:
    converted = image.convertToFormat(QImage.Format.Format_ARGB32)
    pixels = numpy.frombuffer(converted.constBits(), dtype=numpy.uint32)
    return {int(pixel) for pixel in numpy.unique(pixels)}


def test_names_of_close_points_stand_on_different_lines() -> None:
    points = (Point("int8-dynamic", 0.087, 0.99), Point("fp32", 0.117, 0.99), Point("b", 0.2, 0.99))
    places = Tradeoff(points, "size", "Top-1")._places()
    assert places[0] != places[1]
    assert places[0] == places[2]


def test_an_error_is_better_when_it_is_less(qapp: QApplication) -> None:
    points = (Point("small", 1.0, 0.02), Point("large", 4.0, 0.01), Point("worse", 4.5, 0.03))
    assert [point.name for point in front(points, is_error=True)] == ["small", "large"]
    drawing = Tradeoff(points, "MB", "CER", ((2.0, 0.015), (3.0, 0.04)), is_error=True)
    assert "Pareto front: small, large. The layer search tried 2 more" in drawing.description()
    image, spots = render(drawing, load("dark"), QSize(320, 200), 1)
    assert not image.isNull()
    assert [spot.key for spot in spots] == [-1, -1, -1]
