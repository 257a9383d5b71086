"""The plugins that came with the studio, known by their names and by where they lie.

A distribution may claim any name, but it cannot be in the studio's own
folder, so its metadata does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import studio
from studio.plugin_host.manifest import FILE_NAME

NAMES = (
    *("studio_azureml", "studio_coreml", "studio_docker", "studio_executorch", "studio_kubernetes"),
    *("studio_ethos_u", "studio_litert", "studio_litert_torch", "studio_local"),
    *("studio_metrics", "studio_mlflow", "studio_mnn", "studio_mqtt", "studio_nats"),
    *("studio_ncnn", "studio_netron", "studio_nncf", "studio_oci", "studio_onnx"),
    "studio_onnxruntime",
    *(
        "studio_browser",
        "studio_greengrass",
        "studio_hawkbit",
        "studio_language",
        "studio_llama_cpp",
        "studio_mender",
        "studio_onnxruntime_genai",
        "studio_openvino",
        "studio_openvino_genai",
        "studio_pytorch",
        "studio_qnn",
        "studio_ray",
        "studio_rockchip",
        "studio_sagemaker",
        "studio_slurm",
        "studio_ssh",
        "studio_tensorflow",
        "studio_tensorrt",
        "studio_tflite",
        "studio_transformers",
        "studio_trees",
        "studio_vertex",
    ),
)
"""The folders of ``plugins/``; tests/architecture compares the two."""


def built_in_folders() -> Iterator[tuple[str, Path]]:
    """Yield each existing folder: next to the studio's package, or in a checkout's ``plugins/``."""
    beside = Path(studio.__file__).resolve().parent.parent
    for name in NAMES:
        for folder in (beside / name, beside / "plugins" / name):
            if (folder / FILE_NAME).is_file():
                yield name, folder
                break


def is_imported_from(name: str, folder: Path) -> bool:
    """Return whether Python imports a package of this name from that folder."""
    spec = find_spec(name)
    return spec is not None and spec.origin is not None and _parent(spec.origin) == folder


def _parent(file: str) -> Path:
    return Path(file).resolve().parent
