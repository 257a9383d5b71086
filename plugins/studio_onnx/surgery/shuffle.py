"""Weights in a random order: a model of the same form that has learned nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy
import onnx
from onnx import ModelProto, TensorProto, numpy_helper

from studio.api import Dataset, InvalidModel, Kind, Option, Progress, Transformed
from studio_onnx.structure import constants
from studio_onnx.surgery.edit import Edit

_LEAST_AXES = 2
_LARGEST = 1 << 30
"""Bytes of weights above which they are written into a file of their own."""


class ShuffleWeights(Edit):
    """Puts the values of each weight tensor in a random order.

    The check of Adebayo et al., "Sanity Checks for Saliency Maps", 2018: an explanation that stays
    the same does not depend on the model. Shuffled values keep the range of the activations.
    """

    id = "shuffle-weights"
    title = "Shuffle the weights"
    options: ClassVar = (
        Option(
            "seed",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=2**32 - 1,
            help="Seed of the random order.",
        ),
    )

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        """Write the changed model; its weights are read, unlike those of other edits.

        Raises:
            InvalidModel: when the model cannot be read.
        """
        progress.progress(0, 2, self.title)
        try:
            model = onnx.load(str(source))
        except Exception as error:  # protobuf and onnx raise many kinds
            raise InvalidModel(f"{source.name} cannot be read.", detail=str(error)) from None
        facts = self.edit(model, options)
        progress.progress(1, 2, "Writing the model")
        apart = sum(len(one.raw_data) for one in constants(model)) > _LARGEST
        name = f"{output.name}.data"
        onnx.save(model, str(output), save_as_external_data=apart, location=name if apart else None)
        progress.progress(2, 2, "Written")
        return Transformed(output, "", {"inputs": {}, "outputs": {}, **facts})

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Shuffle every tensor of two axes and more, those of quantized layers as well."""
        seed = options.get("seed") or 0
        random = numpy.random.Generator(numpy.random.PCG64(int(seed)))
        count = 0
        for tensor in _weights(model):
            values = numpy_helper.to_array(tensor)
            shuffled = random.permutation(values.reshape(-1)).reshape(values.shape)
            changed = numpy_helper.from_array(shuffled, tensor.name)
            tensor.CopyFrom(changed)
            count += 1
        return {"equal": False, "shuffled": count, "text": f"{count} tensors"}


def _weights(model: ModelProto) -> Iterator[TensorProto]:
    """Yield the tensors of weights; integers of 32 bits and more are shapes and indices."""
    for tensor in constants(model):
        if len(tensor.dims) < _LEAST_AXES or min(tensor.dims) < 1:
            continue
        dtype = numpy.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
        if dtype.kind == "f" or (dtype.kind in "iu" and dtype.itemsize == 1):
            yield tensor
