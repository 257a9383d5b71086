"""What platforms say in variables and folders becomes options, and never against the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.runtime.serve.contracts.environment import completed
from studio.runtime.serve.contracts.vertex import routes


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    return folder


NOWHERE = Path("/nowhere/at/all")
ANY_NAME = ["--allowed-host", "*"]
"""What a platform's front door calls the server is known there alone."""


def test_outside_of_a_platform_nothing_is_added() -> None:
    assert completed(["--model", "x"], {}, NOWHERE) == ["--model", "x"]
    assert completed([], {}, NOWHERE) == []


def test_sagemaker_starts_it_without_any_option(bundle: Path) -> None:
    wanted = ["--bundle", str(bundle), "--host", "0.0.0.0", "--port", "8080", *ANY_NAME]
    assert completed([], {}, bundle) == wanted
    assert completed([], {"SAGEMAKER_BIND_TO_PORT": "9000"}, bundle)[-3] == "9000"


def test_sagemaker_with_a_bare_model(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"")
    assert completed([], {}, tmp_path)[:2] == ["--model", str(tmp_path / "net.onnx")]
    (tmp_path / "other.onnx").write_bytes(b"")
    assert completed([], {}, tmp_path) == []


def test_sagemaker_with_many_models(tmp_path: Path) -> None:
    environment = {"SAGEMAKER_MULTI_MODEL": "true"}
    wanted = ["--models", str(tmp_path / "models"), "--on-demand"]
    found = completed([], environment, tmp_path / "model")
    assert found == [*wanted, "--host", "0.0.0.0", "--port", "8080", *ANY_NAME]
    assert completed(["--models=x"], environment, tmp_path / "model") == ["--models=x"]


def test_azure_keeps_models_one_level_deeper(bundle: Path) -> None:
    environment = {"AZUREML_MODEL_DIR": str(bundle.parent)}
    wanted = ["--bundle", str(bundle), "--host", "0.0.0.0", "--port", "5001", *ANY_NAME]
    assert completed([], environment, NOWHERE) == wanted


def test_vertex_chooses_the_port_and_the_image_has_the_bundle(bundle: Path) -> None:
    environment = {
        "AIP_HTTP_PORT": "8081",
        "AIP_STORAGE_URI": "gs://bucket/model",
        "EDGEWRIGHT_BUNDLE": str(bundle),
    }
    wanted = ["--bundle", str(bundle), "--host", "0.0.0.0", "--port", "8081", *ANY_NAME]
    assert completed([], environment, NOWHERE) == wanted


def test_the_command_line_wins(bundle: Path) -> None:
    environment = {"AIP_HTTP_PORT": "8081", "EDGEWRIGHT_BUNDLE": str(bundle)}
    given = ["--model=x", "--host=127.0.0.1", "--port=1"]
    assert completed(given, environment, bundle) == [*given, *ANY_NAME]
    named = [*given, "--allowed-host=model.example"]
    assert completed(named, environment, bundle) == named


def test_a_worker_is_left_alone(bundle: Path) -> None:
    given = ["--bundle=x", "--listener=7"]
    assert completed(given, {"AIP_HTTP_PORT": "8081"}, bundle) == given


@pytest.mark.parametrize("address", ["", "predict", "/{model}"])
def test_addresses_that_make_no_sense_are_no_rows(address: str) -> None:
    assert routes({"AIP_PREDICT_ROUTE": address}) == ()


def test_addresses_are_rows() -> None:
    found = routes({"AIP_PREDICT_ROUTE": "/predict/", "AIP_HEALTH_ROUTE": "/health"})
    assert [(row.method, row.pattern) for row in found] == [
        ("GET", "/health"),
        ("POST", "/predict"),
    ]
