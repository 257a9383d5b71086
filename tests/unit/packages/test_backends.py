"""The backend of a bundle: what serves a format, and what stands in the manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Extension, StudioError, UsageError
from studio.packages import Bundle
from studio.packages.backends import (
    SERVED,
    SERVED_LANGUAGE,
    backends_among,
    requirements_of,
    serving_backend,
)
from studio.plugin_host import PluginHost
from studio.runtime.backends.catalog import BACKENDS, LITERT, ONNX_RUNTIME, OPENVINO
from studio.runtime.serve.engine.source import from_bundle
from tests.rigs.bundles import make_bundle


@pytest.mark.parametrize(
    ("form", "wanted", "backend"),
    [
        ("onnx", None, ONNX_RUNTIME),
        ("onnx", "openvino", OPENVINO),
        ("tflite", None, LITERT),
        ("openvino", None, OPENVINO),
    ],
)
def test_a_format_has_its_backend(form: str, wanted: str | None, backend: object) -> None:
    assert serving_backend(form, wanted) is backend


@pytest.mark.parametrize(
    ("form", "wanted", "sentence"),
    [
        ("tflite", "openvino", "The backend openvino serves no tflite models."),
        ("ncnn", None, "No backend on targets serves ncnn models."),
    ],
)
def test_what_does_not_go_together_is_said(form: str, wanted: str | None, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        serving_backend(form, wanted)
    assert raised.value.message == sentence


def test_every_backend_of_targets_is_one_of_the_studio() -> None:
    """Its golden answers come from the plugin of the same name."""
    host = PluginHost.discover()
    known = {one.id for one in host.all(Extension.BACKEND)}
    generating = {one.id for one in host.all(Extension.TEXT_BACKEND)}
    assert {name for name, one in BACKENDS.items() if not one.generates} <= known
    assert {name for name, one in BACKENDS.items() if one.generates} == generating
    served = [*SERVED.values(), *SERVED_LANGUAGE.values()]
    assert {one for offered in served for one in offered} == set(BACKENDS.values())


def test_a_bundle_of_the_default_does_not_name_its_backend(tmp_path: Path) -> None:
    """So bundles that were made before there were others keep their digests."""
    bundle = make_bundle(tmp_path)
    assert "backend" not in bundle.raw["model"]
    assert bundle.backend is ONNX_RUNTIME
    assert bundle.requirements == {"numpy": ">=1.19", "onnxruntime": ">=1.17"}


def test_a_bundle_names_another_backend(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, backend="openvino")
    assert bundle.raw["model"]["backend"] == "openvino"
    assert bundle.backend is OPENVINO
    assert bundle.requirements == requirements_of(OPENVINO)
    assert from_bundle(bundle.folder).backend is OPENVINO
    assert bundle.content != make_bundle(tmp_path / "other").content


def test_a_backend_of_a_later_studio_is_named(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path, backend="openvino").folder
    text = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(text.replace(b'"openvino","file"', b'"warp","file"'))
    with pytest.raises(StudioError, match="The backend 'warp' is unknown"):
        _ = Bundle.open(folder).backend


def test_of_what_a_target_says_only_backends_become_requirements() -> None:
    said = frozenset({"onnxruntime", "--index-url=http://evil", "numpy", "openvino ; x"})
    assert backends_among(said) == {"onnxruntime": ">=1.17"}
    assert backends_among(frozenset()) == {}
