"""The model behind BentoML: a whole body as bytes, the shortest that its endpoints take."""

import os

import bentoml
import numpy
import onnxruntime


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Served:
    """The session, and its one endpoint."""

    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self.shape = (1, *(int(size) for size in os.environ["ROW"].split(",")))

    @bentoml.api
    async def infer(self, data: bytes, /) -> bytes:
        """Floats of one sample in, floats of its answer out."""
        array = numpy.frombuffer(data, numpy.float32).reshape(self.shape)
        return self.session.run(None, {"x": array})[0].tobytes()
