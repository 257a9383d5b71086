"""The names of execution providers, and their options."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from studio.runtime.backends.placement import ModelPlacement
from studio.runtime.backends.providers import (
    BY_ID,
    KNOWN,
    Acceleration,
    ProviderChoice,
    check,
    is_quantized,
    short,
    wanted,
)
from studio.runtime.shared.errors import LoadError

GPU = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider")
PLAIN = ("AzureExecutionProvider", "CPUExecutionProvider")


def ids(found: list[ProviderChoice]) -> list[str]:
    return [one.provider.id for one in found]


@pytest.mark.parametrize("text", ["", "auto"])
def test_unasked_those_of_the_installed_package_are_taken(text: str) -> None:
    assert ids(wanted(text, GPU)) == ["tensorrt", "cuda"]
    assert ids(wanted(text, PLAIN)) == []
    assert ids(wanted(text, ("CoreMLExecutionProvider", "CPUExecutionProvider"))) == []


def test_named_ones_keep_their_order_and_the_processor_is_always_there() -> None:
    assert ids(wanted("cuda,tensorrt,cpu", PLAIN)) == ["cuda", "tensorrt"]
    assert ids(wanted("cpu", GPU)) == []


def test_devices_and_options_are_read() -> None:
    (one,) = wanted("tensorrt:1;trt_fp16_enable=1", GPU)
    assert one.options(None, is_quantized=False) == {"device_id": "1", "trt_fp16_enable": "1"}


def test_what_is_compiled_goes_into_the_cache() -> None:
    (one,) = wanted("tensorrt", GPU)
    found = one.options(Path("/run/engines/a"), is_quantized=True)
    assert found["trt_engine_cache_path"] == "/run/engines/a"
    assert found["trt_int8_enable"] == "1"


def test_another_release_has_another_cache() -> None:
    first = Acceleration("cuda", Path("/run/engines/a"))
    assert first.of_release("b") == Acceleration("cuda", Path("/run/engines/b"))
    assert Acceleration("cuda").of_release("b").cache is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("gpu", "'gpu' is no execution provider. Known: auto, tensorrt"),
        ("cuda:", "'' is no device of CUDA"),
        ("qnn:1", "'1' is no device of QNN"),
        ("cuda:1;x", "'x' is no option of a provider; write name=value"),
        ("tensorrt;trt_engine_cache_path=/etc", "is no option"),
        ("tensorrt;trt_engine_cache_path=../x", "is no option"),
        ("cuda:$(reboot)", "is no device of CUDA"),
        ("a" * 1000, "is no execution provider"),
    ],
)
def test_other_texts_are_refused_in_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(LoadError) as caught:
        check(text)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300


def test_names_of_onnx_runtime_become_ids() -> None:
    assert [short(one.name) for one in KNOWN] == list(BY_ID)
    assert short("NewExecutionProvider") == "new"


def test_quantized_models_are_recognised(tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    for operator in ("Relu", "DynamicQuantizeLinear"):
        node = onnx.helper.make_node(operator, ["x"], ["y"])
        graph = onnx.helper.make_graph([node], "g", [value], [])
        path = tmp_path / f"{operator}.onnx"
        onnx.save(onnx.helper.make_model(graph), path)
        assert is_quantized(path) is (operator != "Relu")
    (tmp_path / "empty.onnx").touch()
    assert not is_quantized(tmp_path / "empty.onnx")


def test_a_fallback_has_its_reasons() -> None:
    lost = ModelPlacement(("cuda",), ("cpu",), {"cpu": 3}, {"cuda": "no driver"}, named=True)
    assert lost.fallback == "CUDA: no driver. Computed by CPU instead."
    idle = ModelPlacement(("openvino",), ("cpu",), {"cpu": 3})
    assert idle.fallback == "OpenVINO took no node of the model. Computed by CPU instead."
    assert ModelPlacement().fallback == ""


def test_a_named_provider_is_missed_one_of_several_installed_is_not() -> None:
    both, missing = ("tensorrt", "cuda"), {"tensorrt": "no library"}
    installed = ModelPlacement(both, ("cuda",), {"cuda": 3}, missing)
    assert installed.fallback == ""
    named = installed._replace(named=True)
    assert named.fallback == "TensorRT: no library. Computed by CUDA instead."
