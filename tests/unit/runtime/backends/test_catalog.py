"""The backend of a file or a bundle, and what its library said."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.runtime.backends.catalog import (
    LITERT,
    ONNX_RUNTIME,
    OPENVINO,
    ServingBackend,
    backend_of,
)
from studio.runtime.backends.failure import first_line
from studio.runtime.shared.errors import LoadError


@pytest.mark.parametrize(
    ("name", "wanted", "backend"),
    [
        ("model.onnx", "", ONNX_RUNTIME),
        ("model.ONNX", "", ONNX_RUNTIME),
        ("model.ort", "", ONNX_RUNTIME),
        ("model.onnx", "openvino", OPENVINO),
        ("model.tflite", "", LITERT),
        ("model.xml", "", OPENVINO),
        ("model", "", ONNX_RUNTIME),
    ],
)
def test_a_backend_follows_from_the_file_and_the_bundle(
    name: str, wanted: str, backend: ServingBackend
) -> None:
    assert backend_of(Path(name), wanted) is backend


@pytest.mark.parametrize(
    ("name", "wanted", "sentence"),
    [
        ("model.tflite", "onnxruntime", "ONNX Runtime loads no .tflite files."),
        ("model.onnx", "warp", "The backend 'warp' is unknown to this server."),
        ("model", "litert", "LiteRT loads no such files."),
    ],
)
def test_a_backend_that_does_not_fit_is_refused(name: str, wanted: str, sentence: str) -> None:
    with pytest.raises(LoadError) as raised:
        backend_of(Path(name), wanted)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load failed.\nmore", "Load failed."),
        (
            "Exception from src/core.cpp:84:\nException from src/model_reader.cpp:148:\n"
            'Unable to read the model: "m.xml"\n\n',
            'Unable to read the model: "m.xml".',
        ),
        (
            "Exception from a.cpp:1:\nCheck 'shape.compatible(x)' failed at b.cpp:2:\n"
            "Can't set the input tensor with index: 0\n",
            "Can't set the input tensor with index: 0.",
        ),
        ("Exception from a.cpp:1:\n", "Exception from a.cpp:1:."),
        ("", "no reason given."),
    ],
)
def test_of_a_native_message_the_reason_is_quoted(text: str, line: str) -> None:
    assert first_line(RuntimeError(text)) == line
