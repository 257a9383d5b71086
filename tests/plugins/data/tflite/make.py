"""Makes the TFLite files of this folder, with TensorFlow's converter in an environment of its own.

    python -m venv ENV && ENV/bin/pip install tensorflow-cpu
    ENV/bin/python tests/plugins/data/tflite/make.py

The committed files are from TensorFlow 2.21.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
import tensorflow as tf

FOLDER = Path(__file__).parent
RANDOM = numpy.random.default_rng(0)


def weight(*shape: int) -> numpy.ndarray:
    return RANDOM.standard_normal(shape).astype(numpy.float32) / 4


KERNEL, DEPTHWISE, DENSE = weight(3, 3, 2, 4), weight(3, 3, 4, 1), weight(16, 5)


class Layers(tf.Module):
    """Two convolutions, a mean and a product."""

    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 2], tf.float32, name="image")])
    def run(self, image: tf.Tensor) -> tf.Tensor:
        found = tf.nn.relu6(tf.nn.conv2d(image, KERNEL, 2, "SAME", name="conv"))
        found = tf.nn.depthwise_conv2d(found, DEPTHWISE, [1, 2, 2, 1], "SAME", name="depthwise")
        found = tf.reshape(found, [-1, 16], name="flat")
        return tf.nn.softmax(tf.matmul(found, DENSE, name="product"), name="scores")


class Flow(tf.Module):
    """A choice and a loop."""

    @tf.function(
        input_signature=[tf.TensorSpec([4], tf.float32, name="x"), tf.TensorSpec([], tf.bool)]
    )
    def run(self, x: tf.Tensor, late: tf.Tensor) -> tf.Tensor:
        y = tf.cond(late, lambda: x * 2.0, lambda: tf.nn.relu(x) + 1.0)
        _, z = tf.while_loop(
            lambda i, _: i < 3, lambda i, now: (i + 1, now + x), (tf.constant(0), y)
        )
        return z


def pictures() -> Iterator[list[numpy.ndarray]]:
    for _ in range(8):
        yield [weight(1, 8, 8, 2)]


def converted(module: tf.Module, integers: bool = False) -> bytes:
    function = module.run.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if integers:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = pictures
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


if __name__ == "__main__":
    (FOLDER / "layers.tflite").write_bytes(converted(Layers()))
    (FOLDER / "int8.tflite").write_bytes(converted(Layers(), integers=True))
    (FOLDER / "flow.tflite").write_bytes(converted(Flow()))
