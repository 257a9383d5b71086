"""The model behind mosec: bytes in, bytes out, and its own batching."""

import os

import numpy
import onnxruntime
from mosec import Server, Worker


class Model(Worker):
    """The session, and how bodies become arrays."""

    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self.shape = tuple(int(size) for size in os.environ["ROW"].split(","))

    def deserialize(self, data):
        return numpy.frombuffer(data, numpy.float32).reshape(self.shape)

    def forward(self, data):
        if isinstance(data, list):
            return list(self.session.run(None, {"x": numpy.stack(data)})[0])
        return self.session.run(None, {"x": data[None]})[0][0]

    def serialize(self, data):
        return data.tobytes()


if __name__ == "__main__":
    server = Server()
    server.append_worker(Model, num=1, max_batch_size=int(os.environ["ROWS"]), max_wait_time=1)
    server.run()
