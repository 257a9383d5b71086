"""Files that make a bundle's folder a model of MLflow's ONNX flavour.

The bundle stays as it is; ``MLmodel`` and the lists of requirements lie next to its files, so that
``mlflow models serve`` and ``mlflow.onnx.load_model`` take the same folder. The format is that of
MLflow's documentation; YAML's subset JSON is written, which every reader of YAML takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

PYTHON = "3.11"
"""Python version of the environment that MLflow may create to serve the model."""

MLFLOW = "3.1"
"""The layout that is written, which versions from 2.0 on read."""

_NEEDED = ("mlflow", "onnx>=1.16", "numpy")
_TYPES = {"string": "str", "bool": "bool"}


def flavour_files(manifest: Mapping[str, Any], run: str) -> dict[str, bytes]:
    """Return the files by their names, or none if the model is not ONNX.

    Args:
        manifest: The bundle's.
        run: The run that the model belongs to.
    """
    model = manifest["model"]
    if model.get("format") != "onnx":
        return {}
    needs = [*_NEEDED, *_runtime(manifest)]
    return {
        "MLmodel": _text(_mlmodel(model, run)),
        "requirements.txt": "\n".join([*needs, ""]).encode(),
        "python_env.yaml": _text(
            {
                "python": PYTHON,
                "build_dependencies": ["pip"],
                "dependencies": ["-r requirements.txt"],
            }
        ),
        "conda.yaml": _text(
            {
                "name": "mlflow-env",
                "channels": ["conda-forge"],
                "dependencies": [f"python={PYTHON}", "pip", {"pip": needs}],
            }
        ),
    }


def _mlmodel(model: Mapping[str, Any], run: str) -> dict[str, Any]:
    file = str(model["file"])
    return {
        "artifact_path": "model",
        "flavors": {
            "onnx": {
                "code": None,
                "data": file,
                "onnx_session_options": None,
                "onnx_version": "1.16.0",
                "providers": ["CPUExecutionProvider"],
            },
            "python_function": {
                "data": file,
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "loader_module": "mlflow.onnx",
                "python_version": f"{PYTHON}.0",
            },
        },
        "mlflow_version": f"{MLFLOW}.0",
        "run_id": run,
        "signature": {
            "inputs": _signature(model["inputs"]),
            "outputs": _signature(model["outputs"]),
            "params": None,
        },
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }


def _signature(values: Sequence[Mapping[str, Any]]) -> str:
    """Return tensors in MLflow's schema: a text of JSON with -1 for dynamic sizes."""
    return json.dumps(
        [
            {
                "name": value["name"],
                "type": "tensor",
                "tensor-spec": {
                    "dtype": _TYPES.get(value["dtype"], value["dtype"]),
                    "shape": [
                        size if isinstance(size, int) and size > 0 else -1
                        for size in value["shape"] or [None]
                    ],
                },
            }
            for value in values
        ]
    )


def _runtime(manifest: Mapping[str, Any]) -> list[str]:
    wanted = dict(manifest.get("runtime") or {})
    return [f"{name}{version}" for name, version in sorted(wanted.items()) if name != "numpy"]


def _text(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
