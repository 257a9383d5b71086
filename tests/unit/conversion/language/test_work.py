"""The conversion of language models as a step: what fits, and what the result has."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Cancelled, StudioError, UnsafeModel, UsageError
from studio.conversion.language.work import export
from studio.conversion.step import ExportOptions
from studio.registry import ModelRef
from tests.rigs.tiny_language import tiny_language_model
from tests.unit.quantization.conftest import FakeJob


@pytest.fixture
def job(tmp_path: Path) -> FakeJob:
    """A job with a folder of its own."""
    (tmp_path / "job").mkdir()
    return FakeJob(tmp_path / "job")


@pytest.fixture
def options(tmp_path: Path) -> ExportOptions:
    """A small GGUF model that becomes a folder."""
    path = tiny_language_model(tmp_path / "tiny.gguf")
    model = ModelRef(str(path), "0" * 64, 1, 1, "tiny", "fp16", "gguf", "fp16")
    return ExportOptions(model=model, to="safetensors")


def test_a_folder_has_all_that_running_it_needs(options: ExportOptions, job: FakeJob) -> None:
    result = export(options, job)
    made = {one.name for one in (job.folder / "model").iterdir()}
    assert made == {
        *("config.json", "generation_config.json", "model.safetensors"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    assert result.output == "model.safetensors"
    assert result.precision == "fp32"
    assert not result.warnings
    assert result.opened is not None
    assert result.opened.format == "safetensors"
    assert result.bytes == sum(one.stat().st_size for one in (job.folder / "model").iterdir())


def test_a_folder_becomes_a_file(options: ExportOptions, job: FakeJob, tmp_path: Path) -> None:
    export(options, job)
    again = FakeJob(tmp_path / "again")
    again.folder.mkdir()
    entry = str(job.folder / "model" / "model.safetensors")
    model = replace(options.model, path=entry, format="safetensors")
    result = export(replace(options, model=model, to="gguf", precision="int8"), again)
    assert result.output == "tiny.gguf"
    assert (again.folder / "model" / "tiny.gguf").read_bytes()[:4] == b"GGUF"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"to": "gguf"}, "GGUF is not made of GGUF"),
        ({"to": "tflite"}, "TFLite is not made of GGUF"),
        ({"precision": "int4"}, "Safetensors is not written in int4"),
        ({"block_size": 32}, "--block-size is not for Safetensors in fp32"),
        ({"rounding": "rtn"}, "--rounding is not for Safetensors in fp32"),
        ({"to": "onnxruntime-genai", "block_size": 33}, "No block has 33 weights"),
        ({"to": "openvino-genai", "block_size": 32}, "is not for OpenVINO GenAI in int8"),
        ({"to": "openvino-genai", "rounding": "rtn"}, "--rounding is not for OpenVINO GenAI"),
        ({"data": Path("x")}, "--data is not for language models"),
        ({"input": ("x=1",)}, "--input is not for language models"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_work(
    changed: dict[str, Any], sentence: str, options: ExportOptions, job: FakeJob
) -> None:
    with pytest.raises(UsageError, match=sentence):
        export(replace(options, **changed), job)
    assert not list(job.folder.iterdir())


def test_options_of_language_models_are_not_for_others(
    options: ExportOptions, job: FakeJob
) -> None:
    model = replace(options.model, format="onnx")
    with pytest.raises(UsageError, match="--block-size is for language models"):
        export(replace(options, model=model, to="tflite", block_size=32), job)


def test_a_cancelled_conversion_opens_nothing(options: ExportOptions, tmp_path: Path) -> None:
    job = FakeJob(tmp_path / "job", cancel_at="Writing model.layers.1")
    job.folder.mkdir()
    with pytest.raises(Cancelled):
        export(options, job)
    assert not list(job.folder.glob("graph*"))


def test_a_full_disk_is_noticed_before_any_work(
    options: ExportOptions, job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(job.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1000))
    with pytest.raises(StudioError, match="MB are free"):
        export(options, job)
    assert not list(job.folder.iterdir())


def test_names_do_not_lead_out_of_the_folder(
    options: ExportOptions, job: FakeJob, tmp_path: Path
) -> None:
    export(options, job)
    entry = str(job.folder / "model" / "model.safetensors")
    again = FakeJob(tmp_path / "again")
    again.folder.mkdir()
    model = replace(options.model, path=entry, format="safetensors", model_name="../../x\n")
    result = export(replace(options, model=model, to="gguf"), again)
    assert (again.folder / "model" / result.output).is_file()
    assert Path(result.output).name == result.output


def test_a_folder_whose_weights_are_elsewhere_is_refused(
    options: ExportOptions, job: FakeJob, tmp_path: Path
) -> None:
    export(options, job)
    home = job.folder / "model"
    index = {"weight_map": {"model.norm.weight": "../../secret.safetensors"}}
    (home / "model.safetensors").unlink()
    (home / "model.safetensors.index.json").write_text(json.dumps(index))
    again = FakeJob(tmp_path / "again")
    again.folder.mkdir()
    entry = str(home / "model.safetensors.index.json")
    model = replace(options.model, path=entry, format="safetensors")
    with pytest.raises(UnsafeModel, match="names a file elsewhere"):
        export(replace(options, model=model, to="gguf"), again)
