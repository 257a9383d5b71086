"""Execution providers of ONNX Runtime: their names, options and caches.

They are those of the providers' documentation. OpenVINO's, and Qualcomm's in its emulator, were
run.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..shared.errors import LoadError

AUTO, CPU = "auto", "cpu"
VARIABLE = "EDGEWRIGHT_PROVIDERS"
"""Environment variable with the wanted providers, for a runtime without an option for them."""

_MOST = 8
_VALUE = re.compile(r"[\w.]{1,40}")
_OPTION = re.compile(r"[A-Za-z_]\w{0,60}=[\w.-]{1,60}")
"""Without slashes: a provider reads and writes nowhere but in its cache."""


class Provider(NamedTuple):
    """An execution provider of ONNX Runtime, and its options.

    Attributes:
        id: As commands name it.
        name: As ONNX Runtime names it.
        title: For people.
        device: Option that chooses one of several devices; empty where there is no choice.
        package: Module that brings it to an ONNX Runtime without it; empty without such.
        deliberate: Only packages that were chosen for it have it, so it is taken unasked.
        cache: Options by which it keeps what it compiles, with ``{}`` for the folder.
        keeps_model: What it compiles is kept as a model (``ep.context_file_path``).
        fixed_rows: It computes models of fixed sizes alone, so an open batch becomes 1.
        quantized: Options for models with QuantizeLinear.
    """

    id: str
    name: str
    title: str
    device: str = ""
    package: str = ""
    deliberate: bool = True
    cache: Tuple[Tuple[str, str], ...] = ()
    keeps_model: bool = False
    fixed_rows: bool = False
    quantized: Tuple[Tuple[str, str], ...] = ()


KNOWN = (
    Provider(
        "tensorrt",
        "TensorrtExecutionProvider",
        "TensorRT",
        "device_id",
        cache=(
            ("trt_engine_cache_enable", "1"),
            ("trt_engine_cache_path", "{}"),
            ("trt_timing_cache_enable", "1"),
            ("trt_timing_cache_path", "{}"),
        ),
        quantized=(("trt_int8_enable", "1"),),
    ),
    Provider(
        "tensorrt-rtx",
        "NvTensorRTRTXExecutionProvider",
        "TensorRT for RTX",
        "device_id",
        cache=(("nv_runtime_cache_path", "{}"),),
    ),
    Provider("cuda", "CUDAExecutionProvider", "CUDA", "device_id"),
    Provider(
        "migraphx",
        "MIGraphXExecutionProvider",
        "MIGraphX",
        "device_id",
        cache=(("migraphx_model_cache_dir", "{}"),),
    ),
    Provider("rocm", "ROCMExecutionProvider", "ROCm", "device_id"),
    Provider("cann", "CANNExecutionProvider", "CANN", "device_id"),
    Provider(
        "qnn",
        "QNNExecutionProvider",
        "QNN",
        package="onnxruntime_qnn",
        keeps_model=True,
        fixed_rows=True,
    ),
    Provider("vitisai", "VitisAIExecutionProvider", "Vitis AI"),
    Provider(
        "openvino",
        "OpenVINOExecutionProvider",
        "OpenVINO",
        "device_type",
        package="onnxruntime_ep_openvino",
        cache=(("cache_dir", "{}"),),
    ),
    Provider("directml", "DmlExecutionProvider", "DirectML", "device_id"),
    Provider(
        "coreml",
        "CoreMLExecutionProvider",
        "Core ML",
        "MLComputeUnits",
        deliberate=False,
        cache=(("ModelCacheDirectory", "{}"),),
    ),
    Provider("xnnpack", "XnnpackExecutionProvider", "XNNPACK", deliberate=False),
    Provider(CPU, "CPUExecutionProvider", "CPU", deliberate=False),
)
"""In the order in which they are tried unasked; the processor comes last everywhere."""

BY_ID: Mapping[str, Provider] = {one.id: one for one in KNOWN}
_BY_NAME: Mapping[str, Provider] = {one.name: one for one in KNOWN}


class ProviderChoice(NamedTuple):
    """A provider that was named.

    Attributes:
        device: One of its devices; empty for the first.
        given: Options of its own, with their values.
    """

    provider: Provider
    device: str = ""
    given: Tuple[Tuple[str, str], ...] = ()

    def options(self, cache: Optional[Path], is_quantized: bool) -> Dict[str, str]:
        """Return its options.

        Args:
            cache: Folder for what it compiles; None keeps nothing.
        """
        one = self.provider
        found = {one.device: self.device} if self.device else {}
        if cache is not None:
            found.update((name, value.format(cache)) for name, value in one.cache)
        if is_quantized:
            found.update(one.quantized)
        found.update(self.given)
        return found


class Acceleration(NamedTuple):
    """The wanted providers of a model, and the place of what they compile.

    Attributes:
        providers: Their names (see ``wanted``); empty for the processor alone.
        cache: Folder of this model, in a folder of such; None where nothing is kept.
    """

    providers: str = ""
    cache: Optional[Path] = None

    def of_release(self, digest: str) -> Acceleration:
        """Return the same for another release."""
        return self._replace(cache=None if self.cache is None else self.cache.parent / digest)


CPU_ALONE = Acceleration()


def short(name: str) -> str:
    """Return the id of a provider for ONNX Runtime's name."""
    known = _BY_NAME.get(name)
    return known.id if known is not None else name.replace("ExecutionProvider", "").lower()


def wanted(text: str, available: Sequence[str]) -> List[ProviderChoice]:
    """Read ``tensorrt;trt_fp16_enable=1,cuda:1``; the processor, which comes last, is left out.

    Args:
        text: Names in their order; ``auto`` or empty for those that this ONNX Runtime has.
        available: Its own providers.

    Raises:
        LoadError: for an unknown name.
    """
    names = [one.strip() for one in text.split(",") if one.strip()]
    if not names or names == [AUTO]:
        return [
            ProviderChoice(one) for one in KNOWN if one.deliberate and _is_there(one, available)
        ]
    found = [_read(one) for one in names[:_MOST]]
    return [one for one in found if one.provider.id != CPU]


def check(text: str) -> None:
    """Refuse a text that does not name providers.

    Raises:
        LoadError: in one sentence.
    """
    wanted(text, ())


def _read(text: str) -> ProviderChoice:
    name, *rest = text.split(";")
    name, colon, device = name.partition(":")
    known = BY_ID.get(name)
    if name == AUTO:
        raise LoadError("auto cannot be combined with other providers.")
    if known is None:
        raise LoadError(
            "{!r} is no execution provider. Known: {}.".format(name[:40], ", ".join((AUTO, *BY_ID)))
        )
    if colon and not (known.device and _VALUE.fullmatch(device)):
        raise LoadError("{!r} is no device of {}.".format(device[:40], known.title))
    wrong = next((one for one in rest if not _OPTION.fullmatch(one)), None)
    if wrong is not None:
        raise LoadError("{!r} is no option of a provider; write name=value.".format(wrong[:40]))
    return ProviderChoice(
        known, device, tuple((one.split("=")[0], one.split("=")[1]) for one in rest)
    )


def _is_there(one: Provider, available: Sequence[str]) -> bool:
    return one.name in available or bool(one.package and find_spec(one.package) is not None)


def is_quantized(path: Path) -> bool:
    """Return whether a model has nodes that quantize, by the bytes of its file."""
    import mmap

    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return text.find(b"QuantizeLinear") >= 0
    except (OSError, ValueError):  # an empty file cannot be mapped
        return False
