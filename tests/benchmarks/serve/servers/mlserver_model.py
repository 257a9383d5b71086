"""The models behind MLServer, whose REST endpoint has no binary tensors."""

import os

import numpy
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec
from mlserver.types import InferenceResponse


class Model(MLModel):
    """Numbers in JSON, as its documentation shows."""

    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self.shape = tuple(int(size) for size in os.environ["ROW"].split(","))
        return True

    async def predict(self, payload):
        array = NumpyCodec.decode_input(payload.inputs[0])
        return self.answer(NumpyCodec.encode_output("y", self.run(array)))

    def run(self, array):
        return self.session.run(None, {"x": array})[0]

    def answer(self, output):
        return InferenceResponse(model_name=self.name, outputs=[output])


class Base64Model(Model):
    """Strings in base64: the shortest that its codecs take."""

    async def predict(self, payload):
        (raw,) = Base64Codec.decode_input(payload.inputs[0])
        array = numpy.frombuffer(raw, numpy.float32).reshape((1, *self.shape))
        rows = [row.tobytes() for row in self.run(array)]
        return self.answer(Base64Codec.encode_output("y", rows, False))
