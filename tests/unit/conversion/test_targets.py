"""The converters on the way from one format to another."""

from __future__ import annotations

from typing import Any, cast

import pytest

from studio.api import Capability, Extension, Unavailable
from studio.conversion.targets import SOURCE, TARGETS, converters_to, targets_of
from studio.plugin_host import PluginHost


class Host:
    """Knows converters alone."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._found = [
            Capability(
                Extension.CONVERTER,
                f"{source}-{target}",
                "A converter",
                "x:X",
                "x",
                {"sources": (source,), "targets": (target,)},
            )
            for source, target in pairs
        ]

    def all(self, extension: Extension) -> list[Capability]:
        assert extension is Extension.CONVERTER
        return self._found


def way(target: str, *pairs: tuple[str, str], source: str = SOURCE) -> list[str]:
    host = cast(PluginHost, Host(*pairs))
    return [one.id for one in converters_to(TARGETS[target], host, source)]


TO_PROGRAM, TO_TFLITE = ("onnx", "pytorch-export"), ("pytorch-export", "tflite")


def test_a_direct_converter_comes_before_a_detour() -> None:
    assert way("tflite", TO_PROGRAM, TO_TFLITE, ("onnx", "tflite")) == ["onnx-tflite"]


def test_programs_of_pytorch_are_in_between() -> None:
    assert way("tflite", TO_TFLITE, TO_PROGRAM) == ["onnx-pytorch-export", "pytorch-export-tflite"]


def test_safetensors_are_between_gguf_and_other_folders() -> None:
    pairs = (("safetensors", "onnxruntime-genai"), ("gguf", "safetensors"))
    found = way("onnxruntime-genai", *pairs, source="gguf")
    assert found == ["gguf-safetensors", "safetensors-onnxruntime-genai"]


@pytest.mark.parametrize("pairs", [(), (TO_PROGRAM,), (TO_TFLITE,)])
def test_without_a_way_the_format_is_named(pairs: Any) -> None:
    with pytest.raises(Unavailable, match="No installed plugin writes TFLite"):
        way("tflite", *pairs)


def test_every_format_has_converters_among_the_plugins_that_come_along() -> None:
    host = PluginHost.discover()
    for target in TARGETS.values():
        for source in target.sources:
            assert 1 <= len(converters_to(target, host, source)) <= 2


def test_formats_of_a_source() -> None:
    assert [one.id for one in targets_of("gguf")] == [
        *("safetensors", "onnxruntime-genai", "openvino-genai"),
    ]
    assert not any(one.is_language for one in targets_of(SOURCE))


def test_precisions_are_those_of_the_option() -> None:
    known = {"fp32", "fp16", "int8", "int8-whole", "int8-io", "int4"}
    assert all(known.issuperset(one.precisions) for one in TARGETS.values())
    assert all(set(one.calibrated) <= set(one.precisions) for one in TARGETS.values())
