"""What runs inside the environment of MLflow: saves a model for its server, asks with its client.

``driver.py save MODEL FOLDER``, or ``driver.py ask PORT``, which prints a JSON document: for each
case what the client has read of the answer, or the sentence that it failed with.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pandas as pd

ROWS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]], np.float32)
NAMED = pd.DataFrame(ROWS, columns=["a", "b", "c"])
CASES = {
    "table": NAMED,
    "table with an index": NAMED.set_axis([7, 9]),
    "table of one row": NAMED.iloc[:1],
    "array": ROWS,
    "arrays by name": {"x": ROWS},
    "list": ROWS.tolist(),
    "wrong width": NAMED[["a", "b"]],
    "text": pd.DataFrame({"a": ["x"], "b": ["y"], "c": ["z"]}),
}


def save(model: str, folder: str) -> None:
    """Save an ONNX model so that ``mlflow models serve`` takes it."""
    import mlflow.onnx
    import onnx
    from mlflow.models import infer_signature

    signature = infer_signature(ROWS, {"y": ROWS})
    mlflow.onnx.save_model(onnx.load(model), folder, signature=signature)


def ask(port: int) -> dict[str, Any]:
    """All cases, asked at a port of this computer."""
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    client = ScoringServerClient("127.0.0.1", port)
    client.wait_server_ready(timeout=120)
    found: dict[str, Any] = {"version": client.get_version()}
    for name, data in CASES.items():
        try:
            answer = client.invoke(data)
        except Exception as error:
            found[name] = {"error": str(error)}
            continue
        found[name] = {
            "predictions": json.loads(answer.to_json())["predictions"],
            "frame": np.asarray(answer.get_predictions()).tolist(),
        }
    return found


if __name__ == "__main__":
    if sys.argv[1] == "save":
        save(*sys.argv[2:])
    else:
        print(json.dumps(ask(int(sys.argv[2]))))
