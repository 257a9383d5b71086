"""Folding of constants by ONNX Runtime's own basic optimisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from studio.api import Dataset, InvalidModel, Option, Progress, Transformed
from studio_onnxruntime.backend import first_sentence
from studio_onnxruntime.preparation import confined


class FoldConstants:
    """Computes once what does not depend on the inputs, and removes what changes nothing.

    The basic level keeps to standard operators, so that the result runs everywhere.
    """

    id = "fold"
    title = "Fold constants"
    options: Sequence[Option] = ()
    needs_data = False

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        """Write the folded model.

        Raises:
            InvalidModel: when ONNX Runtime cannot load it.
        """
        progress.progress(0, 1, "Folding constants")
        before = _count(source)
        settings = onnxruntime.SessionOptions()
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        settings.optimized_model_filepath = str(output)
        settings.log_severity_level = 4
        try:
            with confined(output.parent):
                onnxruntime.InferenceSession(
                    str(source), settings, providers=["CPUExecutionProvider"]
                )
        except Exception as error:  # native errors of many kinds
            raise InvalidModel(
                f"ONNX Runtime cannot load the model: {first_sentence(error)}", detail=str(error)
            ) from None
        progress.progress(1, 1, "Folded")
        text = f"{_count(output)} of {before} nodes are left"
        return Transformed(output, "", {"equal": True, "inputs": {}, "outputs": {}, "text": text})


def _count(path: Path) -> int:
    return len(onnx.load(str(path), load_external_data=False).graph.node)
