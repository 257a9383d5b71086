"""Reports and tables: values, escapes, what a notebook and pandas read."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from studio.conversion.results import ConversionCheck, ConversionResult
from studio.evaluation.results import (
    EvaluationResult,
    HeldoutValue,
    MetricValue,
    RuntimeVersion,
    TargetEvaluation,
)
from studio.library.report import Report, ResultTable, shown
from studio.library.reports import ConversionReport, EvaluationReport, ModelReport
from studio.models.results import IntakeFinding, ModelFigures, Terminal

HOSTILE = "<script>alert(1)</script>\n\x1b[2J\u202e"
ONNXRUNTIME = RuntimeVersion("onnxruntime", "1.22")


def test_a_table_is_a_list_of_rows() -> None:
    table = ResultTable(("name", "ms"), [("a", 1.5), ("b", None)])
    assert table == [{"name": "a", "ms": 1.5}, {"name": "b", "ms": None}]
    assert table.columns == ("name", "ms")
    assert str(table).splitlines() == ["name   ms", "a     1.5", "b"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ResultTable(("a", "b"), [(1,)])


def test_html_aligns_numbers_and_escapes_texts() -> None:
    html = ResultTable((HOSTILE, "n"), [(HOSTILE, 3)])._repr_html_()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 2
    assert '<td class="n">3</td>' in html
    assert not {"\n", "\x1b", "\u202e"} & set(html)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (1234567, "1,234,567"),
        (0.123456, "0.1235"),
        (True, "True"),
        ("a\nb", "a\\nb"),
        ("x" * 300, "x" * 200 + " ..."),
    ],
)
def test_shown(value: str | float | None, text: str) -> None:
    assert shown(value) == text


@dataclass(frozen=True)
class Layer:
    name: str
    error: float
    nested: tuple[int, ...] = ()


@dataclass(frozen=True)
class Layers:
    model: str
    empty: tuple[Layer, ...] = ()
    layers: tuple[Layer, ...] = ()


def test_the_table_of_any_step() -> None:
    made = Layers("m", layers=(Layer("a", 0.5), Layer("b", 0.25)))
    rows = [{"name": "a", "error": 0.5}, {"name": "b", "error": 0.25}]
    assert Report("sensitivity", made).table() == rows
    assert Report("sensitivity", Layers("m")).table() == [{"name": "model", "value": "m"}]
    assert Report("target-probe", {"cpu": "x", "list": [1]}).table() == [
        {"name": "cpu", "value": "x"}
    ]


def test_a_report_prints_the_lines_of_the_command() -> None:
    report = EvaluationReport(
        "evaluate",
        EvaluationResult("m", MetricValue("top1", "Top-1", 0.5), 10, ONNXRUNTIME, None, 1.0),
    )
    assert str(report) == repr(report) == "top1 0.5000 over 10 samples"
    assert report.document["samples"] == 10


def test_a_step_without_texts_prints_its_table() -> None:
    assert "model" in str(Report("releases", Layers("m")))


def test_the_summary_of_a_hostile_model() -> None:
    figures = ModelFigures(
        format="onnx",
        opset={"": 17},
        bytes=1000,
        inputs=(Terminal(HOSTILE, "float32", ("batch", None, 3)),),
        intake=(IntakeFinding("warning", "code", HOSTILE),),
    )
    report = ModelReport("inspect", figures)
    assert {"name": f"input {HOSTILE}", "value": "float32 batch x ? x 3"} in report.table()
    assert "<script>" not in report._repr_html_()


def test_an_evaluation_here_held_out_and_on_a_target() -> None:
    there = TargetEvaluation("pi", 0.4, 0.1, "onnxruntime", "1.19", (), (), (0, 0))
    made = EvaluationResult(
        "m", MetricValue("top1", "", 0.5), 10, ONNXRUNTIME, there, 1.0, HeldoutValue(0.45, 5)
    )
    rows = EvaluationReport("evaluate", made).table()
    assert [(row["data"], row["value"], row["samples"]) for row in rows] == [
        ("evaluation", 0.5, 10),
        ("held-out", 0.45, 5),
        ("evaluation", 0.4, 10),
    ]
    assert rows[2]["runtime"] == "pi: onnxruntime 1.19"


def test_a_conversion() -> None:
    check = ConversionCheck("torch 2.9", 4, 2e-7, 1.0)
    made = ConversionResult(source="m.pt2", format="pt2", output="m.onnx", checks=(check,))
    (row,) = ConversionReport("convert", made).table()
    assert (row["against"], row["equal"]) == ("torch 2.9", True)
