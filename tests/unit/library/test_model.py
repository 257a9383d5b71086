"""Handles on models: opened files, conversions, and what a hostile name does to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

import studio
from studio.api import GateMissed, InvalidModel, Unavailable, UsageError
from studio.conversion.results import ConversionCheck, ConversionResult
from studio.library import session as sessions
from studio.library.session import Done

HOSTILE = "<img src=x onerror=alert(1)>"


def write_model(path: Path) -> Path:
    value = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in (HOSTILE, "y")
    ]
    node = helper.make_node("Relu", [HOSTILE], ["y"])
    graph = helper.make_graph([node], "g", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.fixture
def model(home: Path, tmp_path: Path) -> studio.Model:
    return studio.open(write_model(tmp_path / "<b>m.onnx"), home=home)


def test_an_opened_file(model: studio.Model, home: Path, tmp_path: Path) -> None:
    assert (model.format, model.precision) == ("onnx", "fp32")
    assert model.path.is_file()
    assert model.size == model.path.stat().st_size
    assert model.figures.inputs[0].name == HOSTILE
    again = studio.open(model.name, home=home)
    assert again.reference == studio.open(model.reference, home=home).reference == model.reference
    assert studio.open(again, home=home) is again
    html = model._repr_html_() + model.inspect()._repr_html_()
    assert "<img" not in html
    assert "<b>" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(InvalidModel):
        studio.open(tmp_path / "text.onnx", home=home)
    with pytest.raises(UsageError, match="Unknown option 'formatt'") as caught:
        model.quantize(formatt="int8")
    assert "method" in caught.value.hint
    with pytest.raises(UsageError, match="Unknown preset"):
        model.quantize(preset="no-such-preset")
    with pytest.raises(UsageError, match="Unknown target"):
        model.deploy("nowhere")
    with pytest.raises(UsageError, match="No file or registered model"):
        model.profile("nothing.onnx")
    with pytest.raises(UsageError, match="dry run") as caught:
        model.deploy(dry_run=True)
    assert "plan()" in caught.value.hint


def conversion(error: float, variant: int = 0) -> ConversionResult:
    check = ConversionCheck("torch 2.9", 4, error, 1.0)
    return ConversionResult(
        source="m.pt2",
        format="pt2",
        output="m.bin",
        output_format="coreml",
        checks=(check,),
        variant=variant,
    )


class Steps:
    """In place of ``Session.run``: remembers what was to be run, and returns a result."""

    def __init__(self, result: object) -> None:
        self.result = result
        self.runs: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, step: str, options: dict[str, Any], **_: object) -> Done:
        given = {name: value for name, value in options.items() if value is not None}
        self.runs.append((step, given))
        return Done(self.result, (), ())


def test_conversions(
    model: studio.Model, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = sessions.session(home)
    steps = Steps(conversion(1e-7))
    monkeypatch.setattr(here, "run", steps)
    made = model.convert("coreml", precision="fp16")
    assert steps.runs == [("export", {"model": model, "to": "coreml", "precision": "fp16"})]
    with pytest.raises(Unavailable, match="cannot open"):
        _ = made.model

    steps.result = conversion(1e-7, int(model.reference[1:]))
    assert model.convert("openvino").model.name == model.name

    steps.result = conversion(0.5)
    with pytest.raises(GateMissed, match="differs from torch"):
        model.convert("coreml")

    other = tmp_path / "m.pt2"
    other.write_bytes(b"PK\x03\x04")
    monkeypatch.setattr("studio.library.model.source_format", lambda path: object())
    steps.result = conversion(0.0, int(model.reference[1:]))
    assert studio.open(other, home=home, run_code=True, input="x=1,2").name == model.name
    given = {"source": other, "run_code": True, "input": "x=1,2"}
    assert steps.runs[-1] == ("convert", given)
    steps.result = conversion(0.5, 7)
    with pytest.raises(GateMissed) as caught:
        studio.open(other, home=home)
    assert caught.value.hint == "It is registered as #7."
