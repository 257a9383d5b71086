"""What cannot be done with a model of a format, and why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from studio.api import Kind, UsageError
from studio.plugin_host import PluginHost
from studio.steps.catalogue import step as step_named
from studio.steps.catalogue import steps
from studio.steps.format_support import HINT, why_not
from studio.workspace import Workspace

IR = Path(__file__).parents[2] / "plugins" / "data" / "openvino" / "layers.xml"


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost.discover()


def test_every_step_that_takes_a_model_is_listed() -> None:
    taking = {
        name
        for name, step in steps().items()
        if any(option.kind is Kind.MODEL for option in step.form)
    }
    assert {name for name, step in steps().items() if step.use} == taking


def test_everything_can_be_done_with_onnx(host: PluginHost) -> None:
    assert {
        name: reason for name, step in steps().items() if (reason := why_not(step, "onnx", host))
    } == {}


@pytest.mark.parametrize("step", ["graph", "diff", "values", "operator", "inspect"])
def test_any_format_can_be_looked_at(step: str, host: PluginHost) -> None:
    assert why_not(step_named(step), "openvino", host) == ""


def test_what_needs_another_format_says_so(host: PluginHost) -> None:
    assert why_not(step_named("deploy"), "pytorch", host).startswith(
        "Targets serve ONNX, TFLite and OpenVINO models, not "
    )
    assert why_not(step_named("edit"), "openvino", host) == "OpenVINO IR models cannot be edited."
    assert "loads no OpenVINO IR models" in why_not(step_named("coverage"), "openvino", host)
    assert (
        why_not(step_named("profile"), "strange", host)
        == "No installed backend runs strange models."
    )
    assert why_not(step_named("quantize"), "strange", host) == "strange models cannot be quantized."


@pytest.mark.parametrize("form", ["onnx", "gguf"])
def test_a_language_model_is_not_for_steps_of_samples(form: str, host: PluginHost) -> None:
    for step in ("sensitivity", "quantize-preview"):
        assert why_not(step_named(step), form, host, language=True).startswith("Language models")
    assert why_not(step_named("graph"), form, host, language=True) == ""


def test_a_language_model_is_quantized_in_gguf(host: PluginHost) -> None:
    quantize = step_named("quantize")
    assert why_not(quantize, "gguf", host, language=True) == ""
    assert why_not(quantize, "onnx", host, language=True).startswith("Language models")


@pytest.mark.parametrize("form", ["onnx", "tflite", "openvino"])
def test_targets_serve_what_a_backend_there_loads(form: str, host: PluginHost) -> None:
    assert why_not(step_named("deploy"), form, host) == ""


def test_nothing_is_started(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "home") as workspace:
        model = workspace.registry.add_model("layers")
        artifact = workspace.registry.adopt(Path(shutil.copy(IR, tmp_path)))
        workspace.registry.add_variant(model, "fp32", artifact, format="pytorch", precision="fp16")
        with pytest.raises(
            UsageError, match="Targets serve ONNX, TFLite and OpenVINO models"
        ) as caught:
            workspace.start("deploy", model="layers", target="local")
        assert caught.value.hint == HINT
        assert workspace.jobs == []
