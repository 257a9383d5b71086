"""One calibration, many variants: int8 models that differ in the layers that stay in float."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx

from studio.api import Dataset, Progress, Transformed
from studio_onnxruntime import hardware
from studio_onnxruntime.bias_correction import bias_errors, clip_weights, correct_biases
from studio_onnxruntime.calibration import calibrate, channel_sizes
from studio_onnxruntime.details import layers
from studio_onnxruntime.histogram import Histogram
from studio_onnxruntime.preparation import (
    confined,
    hand_over,
    load,
    prepared,
    prepared_names,
    select,
)
from studio_onnxruntime.qdq import OPERATORS, Format, add_pairs
from studio_onnxruntime.rewriting import balanced_inputs, equalise, equalise_inputs, fold
from studio_onnxruntime.sensitivity import LayerCost, layer_costs

_LEVELS = 127
"""Steps of a weight on either side of zero; half as many with a reduced range."""

COMPARED = 4
"""Samples that the sensitivity of the layers is measured on; their ranking has settled."""


class Int8Tuner:
    """A calibrated model that can be written with any of its layers in float.

    Attributes:
        layers: Names of the nodes that can be quantized.
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        values: Mapping[str, Any],
        data: Dataset,
        progress: Progress,
    ) -> None:
        self._values, self._data = values, data
        self._outputs = values["outputs"]
        self._levels = _LEVELS // 2 if _reduced(values) else _LEVELS
        with confined(folder):
            progress.progress(0, 1, "Preparing the graph")
            model = load(source)
            self._ready = prepared(model, folder)
            exact = onnx.load(str(self._ready))
            selection = select(
                model.graph,
                exact.graph,
                OPERATORS,
                values["keep"],
                constant_only=values["float_attention"],
                float_depthwise=values["float_depthwise"],
            )
            self.layers, self._kept = selection.chosen, selection.kept
            self._rewrite(exact, progress)
            onnx.save(exact, str(self._ready))
            self._wide = prepared_names(model.graph, exact.graph, values["wide"])
            self._seen: dict[str, Histogram] = {}
            self._ranges = calibrate(
                self._ready,
                OPERATORS,
                data,
                progress,
                method=values["calibration"],
                percentile=values["percentile"],
                seen=self._seen,
                even=values["activations"] == "symmetric",
                every=self._outputs == "all",
            )
            self._errors = self._bias_errors(progress)

    def write(
        self, output: Path, keep: Collection[str] = (), reason: str = "chosen by the search"
    ) -> Transformed:
        """Write the variant in which some of the layers stay in float.

        Args:
            reason: Why they do.

        Raises:
            InvalidModel: when the runtime cannot make it.
        """
        chosen = [name for name in self.layers if name not in keep]
        with confined(self._ready.parent):
            model = onnx.load(str(self._ready))
            facts = self._quantize(model, chosen)
            made = self._ready.with_name("made.onnx")
            onnx.save(model, str(made))
        hand_over(made, output)
        kept = {**self._kept, **dict.fromkeys(keep, reason)}
        more = {
            "kept": kept,
            "folded": self._folded,
            "equalised": self._equalised,
            "balanced_inputs": self._balanced,
            "samples": len(self._data),
        }
        rows = layers(
            onnx.load(str(self._ready)).graph,
            chosen,
            kept,
            "a16w8" if self._values["activation_bits"] == "16" else "int8",
            wide=self._wide,
            ranges=self._ranges,
            histograms=self._seen,
        )
        return Transformed(output, "int8", {**facts, **more}, rows)

    def costs(self, progress: Progress, *, timed: bool = True) -> dict[str, LayerCost]:
        """Return error and time of each layer quantized alone; no times without ``timed``."""
        step = max(1, len(self._data) // COMPARED)
        feeds = [s.feeds for index, s in enumerate(self._data) if index % step == 0][:COMPARED]
        exact = onnx.load(str(self._ready))
        quantized = onnx.ModelProto()
        quantized.CopyFrom(exact)
        self._quantize(quantized, self.layers)
        return layer_costs(exact, quantized, self.layers, feeds, progress, timed=timed)

    def outliers(self, progress: Progress) -> list[str]:
        """Return the few layers with most of the error, or none in a small model."""
        if not self._values["float_outliers"] or len(self.layers) < FEWEST:
            return []
        costs = self.costs(progress, timed=False)
        noises = {name: 10 ** (-cost.sqnr_db / 10) for name, cost in costs.items()}
        graph = onnx.load(str(self._ready)).graph
        sizes = {tensor.name: math.prod(tensor.dims) for tensor in graph.initializer}
        inputs = {node.name: node.input[1] for node in graph.node if node.name in noises}
        return outliers(noises, {name: sizes.get(inputs[name], 0) for name in noises})

    def _rewrite(self, exact: onnx.ModelProto, progress: Progress) -> None:
        """Rewrite the float model, in place, into an equal one that quantizes better."""
        wanted = balanced_inputs(exact, self.layers) if self._values["equalise_inputs"] else []
        readers = {
            node.name for node in exact.graph.node if node.input[:1] and node.input[0] in wanted
        }
        self._folded = fold(exact, readers) if self._values["fold"] else 0
        self._equalised = equalise(exact) if self._values["equalise"] else 0
        balanced: frozenset[str] = frozenset()
        if wanted:
            # Folding may have left other names to the values.
            largest = channel_sizes(
                exact, balanced_inputs(exact, readers), self._data, self._ready, progress
            )
            balanced = equalise_inputs(exact, largest, readers)
        if readers - balanced and self._values["fold"]:
            self._folded += fold(exact, balanced)
        self._balanced = len(balanced)

    def _bias_errors(self, progress: Progress) -> Mapping[str, Any]:
        if not self._values["correct_biases"]:
            return {}
        model = onnx.load(str(self._ready))
        self._clip(model, self.layers)
        return bias_errors(
            self._ready, model, self.layers, self._ranges, self._data, progress, self._levels
        )

    def _quantize(self, model: onnx.ModelProto, chosen: Sequence[str]) -> dict[str, Any]:
        """Put the chosen layers of the prepared model in bytes, and tell how they are made."""
        self._clip(model, chosen)
        correct_biases(model, {name: self._errors[name] for name in chosen if name in self._errors})
        form = self._format(model)
        add_pairs(model, chosen, self._ranges, form)
        return {
            "operators": list(OPERATORS),
            "quantized": len(chosen),
            "activations": str(form.activation()),
            "wide": len(form.wide),
            "reduced_range": form.levels < _LEVELS,
            "calibration": self._values["calibration"],
        }

    def _format(self, model: onnx.ModelProto) -> Format:
        values = self._values
        signed = {"auto": hardware.is_arm(), "unsigned": False}
        form = Format(
            signed=signed.get(values["activations"], True),
            levels=self._levels,
            per_channel=values["per_channel"],
            bits=int(values["activation_bits"]),
            symmetric=values["activations"] == "symmetric",
            float_biases=values["biases"] == "float",
            all_outputs=self._outputs != "convolutions",
            everywhere=self._outputs == "all",
        )
        return replace(form, wide=frozenset(_wide(model, self._wide, form)))

    def _clip(self, model: onnx.ModelProto, chosen: Collection[str]) -> None:
        if self._values["clip_weights"]:
            clip_weights(model, chosen, self._levels)


def _reduced(values: Mapping[str, Any]) -> bool:
    return {"auto": hardware.saturates(), "yes": True, "no": False}[values["reduce_range"]]


def _wide(model: onnx.ModelProto, layers: Collection[str], form: Format) -> list[str]:
    """Return the activations of the layers that were requested to have 16 bits."""
    names = [
        name
        for node in model.graph.node
        if node.name in layers and node.op_type in OPERATORS
        for name in (node.input[0], *(node.output if form.rounds(node) else ()))
    ]
    return list(dict.fromkeys(names))


_MOST_SHARE = 10
"""At most one layer in ten stays in float, and none with more than a tenth of the weights: the
time lost is then small without a measurement."""

_MOST_NOISE = 0.25
"""A layer that makes more than this part of what is left is worth its time; at half, samples of
another kind left all of PP-OCRv5 in int8, and three times as many texts were lost."""

FEWEST = _MOST_SHARE
"""With fewer layers none is kept."""


def outliers(noises: Mapping[str, float], weights: Mapping[str, int]) -> list[str]:
    """Return layers with over a quarter of the noise that remains with each, worst first.

    Args:
        noises: Power of the error at the output when a layer alone is quantized, over that of the
            output.
        weights: Number of weights of each layer.
    """
    left, most = sum(noises.values()), sum(weights.values()) / _MOST_SHARE
    found: list[str] = []
    for name in sorted(noises, key=lambda name: -noises[name]):
        if len(found) >= len(noises) // _MOST_SHARE or noises[name] <= left * _MOST_NOISE:
            break
        if weights[name] <= most:
            found.append(name)
        left -= noises[name]
    return found
