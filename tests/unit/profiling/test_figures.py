"""Figures for publications: their values and intervals, their files, and the page's example."""

from __future__ import annotations

import argparse
import copy
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from studio.api import UsageError
from studio.cli.commands.profiles import _output
from studio.documents.figures import FORMATS, write_figure
from studio.profiling.export import FIGURES, SUFFIXES, write
from studio.profiling.figures import _half, comparison_figure, profile_figure
from studio.profiling.step import ExportOptions
from studio.runtime.shared.statistics import Z
from tests.rigs.bundles import QuietJob

ROOT = Path(__file__).parents[3]
STARTS = {".png": b"\x89PNG\r\n", ".pdf": b"%PDF-1.", ".svg": b"<?xml"}
FP32 = {
    "id": "digits:fp32",
    "model": "digits:fp32",
    "backend": "onnxruntime",
    "state": "measured",
    "latency_ms": {"p50": 2.0},
    "round_ms": [2.0, 2.1, 1.9, 2.0, 2.05, 1.95, 2.0, 2.1, 1.9, 2.0],
}
INT8 = {**FP32, "id": "digits:int8", "latency_ms": {"p50": 1.0}, "round_ms": [1.0] * 10}
PROFILE: dict[str, Any] = {
    "mode": "latency", "target": "bench-pi", "runs": [FP32, INT8], "run": 4, "at": "2026-01-01",
}  # fmt: skip


def points(figure: Any) -> list[tuple[float, float]]:
    """The measured values with their places, from top to bottom."""
    (axes,) = figure.axes
    found = [line.get_xydata()[0] for line in axes.lines if line.get_marker() == "o"]
    return [(float(x), float(y)) for x, y in found]


def bars(figure: Any) -> list[tuple[float, float]]:
    """The ends of the intervals."""
    (axes,) = figure.axes
    segments = [one.get_segments()[0] for one in axes.collections]
    return [(float(one[0][0]), float(one[1][0])) for one in segments]


def test_each_variant_has_its_value_and_its_interval() -> None:
    figure = profile_figure(PROFILE)
    assert points(figure) == [(2.0, 0.0), (1.0, 1.0)]
    (low, high), same = bars(figure)
    assert low < 2.0 < high
    assert high / 2.0 == pytest.approx(2.0 / low)
    assert same == (1.0, 1.0), "rounds without any spread have no width"
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["digits:fp32", "digits:int8"]
    assert axes.get_xlabel() == "Median latency (ms), 95 % confidence interval"
    assert axes.get_title(loc="left") == "digits on bench-pi"


def test_the_interval_is_that_of_the_means_of_blocks() -> None:
    rounds = [math.exp(value) for value in (0.1, 0.3, 0.1, 0.3)]  # blocks of two: no spread
    assert _half(rounds) == pytest.approx(0, abs=1e-12)
    rounds = [math.exp(value) for value in (0.1, 0.1, 0.3, 0.3)]
    assert _half(rounds) == pytest.approx(Z * math.sqrt(0.02 / 2))
    assert _half([1.0]) == _half([]) == 0.0


@pytest.mark.parametrize(
    ("mode", "run", "value", "label"),
    [
        (
            "throughput",
            {
                "throughput": {
                    "best": {"streams": 1, "batch": 1, "per_second": 50.0, "low": 45, "high": 52}
                }
            },
            50.0,
            "Samples per second",
        ),
        ("open-loop", {"open_loop": {"kept": True, "rate_per_second": 30.0}}, 30.0, "Requests"),
        ("sustained", {"sustained": {"end_ms": 3.0}}, 3.0, "Median latency at the end"),
    ],
)
def test_other_modes_show_what_they_measure(
    mode: str, run: dict[str, Any], value: float, label: str
) -> None:
    figure = profile_figure({"mode": mode, "runs": [{**run, "id": "a"}]})
    assert points(figure) == [(value, 0.0)]
    assert figure.axes[0].get_xlabel().startswith(label)


def test_a_comparison_has_both_values_and_the_verdict() -> None:
    after = copy.deepcopy(PROFILE)
    after["run"] = 7
    after["runs"][0]["latency_ms"]["p50"] = 1.0
    after["runs"][0]["round_ms"] = [value / 2 for value in FP32["round_ms"]]
    figure = comparison_figure(PROFILE, after)
    assert [x for x, _ in points(figure)] == [2.0, 1.0, 1.0, 1.0]
    (axes,) = figure.axes
    notes = [text.get_text() for text in axes.texts]
    assert any(text.endswith("× 0.500, faster") for text in notes)
    assert any(text.endswith("× 1.000, equal") for text in notes)
    assert "profile 4" in axes.get_title(loc="left")
    assert "profile 7" in axes.get_title(loc="left")


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(UsageError, match="no measured values"):
        profile_figure({"runs": [{"id": "a", "latency_ms": {}}]})
    other = {**PROFILE, "runs": [{**FP32, "id": "other"}]}
    with pytest.raises(UsageError, match="no measured variant in common"):
        comparison_figure(PROFILE, other)


@pytest.mark.parametrize("suffix", FIGURES)
def test_a_profile_is_exported_as_a_figure(suffix: str, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps(PROFILE))
    contents = []
    for name in ("a", "b"):
        job = QuietJob(tmp_path / name)
        result = write(ExportOptions(profile, Path(f"/anywhere/x{suffix}")), job)
        content = (job.folder / result.output).read_bytes()
        assert content.startswith(STARTS[suffix])
        assert result.bytes == len(content) > 1000
        contents.append(content)
    assert contents[0] == contents[1], "the same profile gives the same bytes"


def test_texts_of_an_svg_can_be_searched(tmp_path: Path) -> None:
    write_figure(profile_figure(PROFILE), tmp_path / "f.svg")
    assert ">digits:int8<" in (tmp_path / "f.svg").read_text("utf-8")
    assert (
        set(FORMATS)
        == {one.removeprefix(".") for one in FIGURES}
        <= {one.removeprefix(".") for one in SUFFIXES}
    )


@pytest.mark.parametrize(
    ("out", "form", "path"),
    [
        ("a.html", None, "a.html"),
        (None, "pdf", "profile-3.pdf"),
        ("paper/latency", "svg", "paper/latency.svg"),
        ("a.PNG", "png", "a.PNG"),
    ],
)
def test_the_file_follows_from_its_name_or_the_format(
    out: str | None, form: str | None, path: str
) -> None:
    assert _output(argparse.Namespace(out=out, format=form, run=3)) == path


@pytest.mark.parametrize(("out", "form"), [(None, None), ("a.png", "pdf")])
def test_a_file_without_a_form_and_a_contradiction_are_refused(
    out: str | None, form: str | None
) -> None:
    with pytest.raises(UsageError):
        _output(argparse.Namespace(out=out, format=form, run=3))


def test_the_example_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "measuring.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    monkeypatch.chdir(tmp_path)
    for name in ("before.json", "after.json"):
        Path(name).write_text(json.dumps(PROFILE))
    found: dict[str, Any] = {}
    exec(compile(code, "measuring.md", "exec"), found)
    assert Path("latency.pdf").read_bytes().startswith(STARTS[".pdf"])
    assert points(found["compared"])
