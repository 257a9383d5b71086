"""Makes the IR files of this folder, with the real OpenVINO in an environment of its own.

    python -m venv ENV && ENV/bin/pip install openvino onnx
    ENV/bin/python tests/plugins/data/openvino/make.py

The committed files are from OpenVINO 2026.4.1.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy
import onnx
import openvino
from openvino import opset13 as op

FOLDER = Path(__file__).parent
FLOW = """
<ir_version: 8, opset_import: ["" : 17]>
flow (float[N,4] x, bool late) => (float[N,4] y, float[N,4] z)
<float[4] scale = {1.5, 2.0, 0.5, -1.0}, int64 trips = {3}, bool go = {1}>
{
  y = If (late) <
    then_branch = doubled () => (float[N,4] a) { two = Constant <value = float {2.0}> ()
                                                 a = Mul (x, two) },
    else_branch = scaled () => (float[N,4] b) { b = Mul (x, scale) }>
  z = Loop (trips, go, y) <
    body = step (int64 i, bool on, float[N,4] before) => (bool on_out, float[N,4] after)
           { on_out = Identity (on)  after = Add (before, scale) }>
}
"""


def flow() -> None:
    """An If and a Loop, converted from ONNX."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "flow.onnx"
        onnx.save(onnx.parser.parse_model(FLOW), source)
        model = openvino.convert_model(source)
    openvino.save_model(model, FOLDER / "flow.xml", compress_to_fp16=False)


def layers() -> None:
    """Layers with weights, compressed to half precision; one of four bits."""
    random = numpy.random.default_rng(0)

    def weight(*shape: int) -> numpy.ndarray:
        return random.standard_normal(shape, numpy.float32)

    image = op.parameter([-1, 4, 8, 8], numpy.float32, name="image")
    pads = ([1, 1], [0, 0], [0, 0], [1, 1])
    found = op.convolution(image, weight(8, 4, 3, 3), *pads, name="conv")
    found = op.group_convolution(found, weight(2, 4, 4, 1, 1), *pads, name="grouped")
    found = op.convolution_backprop_data(found, weight(8, 2, 1, 1), [1, 1], name="transposed")
    found = op.relu(found, name="relu")
    found = op.reshape(found, numpy.array([0, -1]), special_zero=True, name="flat")
    quarter = op.constant(random.integers(-8, 8, (72, 6)), openvino.Type.i4, name="quarter")
    product = op.matmul(found, op.convert(quarter, "f32"), False, False, name="product")
    openvino.save_model(openvino.Model([product], [image], "layers"), FOLDER / "layers.xml")


if __name__ == "__main__":
    flow()
    layers()
