"""The model behind kserve: binary tensors of the Open Inference Protocol."""

import os

import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer


class Served(Model):
    """The session, and how requests become arrays."""

    def __init__(self, name):
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        found = self.session.run(None, {"x": payload.inputs[0].as_numpy()})[0]
        output = InferOutput("y", list(found.shape), "FP32")
        output.set_data_from_numpy(found, binary_data=True)
        return InferResponse(
            payload.id or "none", self.name, [output], requested_outputs=payload.request_outputs
        )


if __name__ == "__main__":  # the library reads its port from the command line by itself
    ModelServer(workers=1, enable_grpc=False, enable_latency_logging=False).start(
        [Served(os.environ["NAME"])]
    )
