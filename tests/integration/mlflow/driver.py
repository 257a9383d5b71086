"""What runs inside the environment of MLflow: its client looks at what the studio pushed.

``driver.py look NAME ALIAS`` prints what the client sees, and what its ONNX flavour answers;
``driver.py log MODEL NAME`` registers a model as its users do; ``driver.py alias NAME ALIAS N``
moves an alias. The server is the one of MLFLOW_TRACKING_URI.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import mlflow
import mlflow.onnx
import mlflow.pyfunc
import numpy as np
from mlflow import MlflowClient


def look(name: str, alias: str) -> dict[str, Any]:
    """A version with its run, loaded in both ways."""
    client = MlflowClient()
    version = client.get_model_version_by_alias(name, alias)
    run = client.get_run(version.run_id)
    uri = f"models:/{name}@{alias}"
    model = mlflow.onnx.load_model(uri)
    image = np.zeros((2, 1, 8, 8), np.float32)
    answer = mlflow.pyfunc.load_model(uri).predict({"image": image})
    return {
        "version": version.version,
        "tags": version.tags,
        "metrics": run.data.metrics,
        "params": run.data.params,
        "status": run.info.status,
        "nodes": len(model.graph.node),
        "shapes": {key: list(value.shape) for key, value in answer.items()},
        "files": sorted(one.path for one in client.list_artifacts(version.run_id, "model")),
    }


def log(model: str, name: str) -> dict[str, Any]:
    """A version that was not pushed by the studio."""
    import onnx

    with mlflow.start_run():
        info = mlflow.onnx.log_model(onnx.load(model), name="net", registered_model_name=name)
    return {"version": info.registered_model_version}


def alias(name: str, text: str, version: str) -> dict[str, Any]:
    """Another user moves an alias."""
    MlflowClient().set_registered_model_alias(name, text, version)
    return {}


if __name__ == "__main__":
    print(json.dumps({"look": look, "log": log, "alias": alias}[sys.argv[1]](*sys.argv[2:])))
