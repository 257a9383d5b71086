"""The messages of the services, as tables: ``inference.GRPCInferenceService`` and health.

Names and numbers are those of the Open Inference Protocol and of Triton's extensions to it; the
tests compare them with a real client's. What is not said here is skipped like any unknown field.
"""

from __future__ import annotations

from typing import Tuple

from .codec import Field, Message, mapping


def _texts(*names: str) -> Tuple[Field, ...]:
    """Strings with the numbers 1, 2 ..."""
    return tuple(Field(number, name, "string") for number, name in enumerate(names, 1))


EMPTY = Message()
LIVE = Message(Field(1, "live", "bool"))
READY = Message(Field(1, "ready", "bool"))
NAMED = Message(*_texts("name", "version"))
"""A model, of whatever is asked."""

SERVER_METADATA = Message(*_texts("name", "version"), Field(3, "extensions", "string", True))
TENSOR_METADATA = Message(*_texts("name", "datatype"), Field(3, "shape", "int64", True))
MODEL_METADATA = Message(
    Field(1, "name", "string"),
    Field(2, "versions", "string", True),
    Field(3, "platform", "string"),
    Field(4, "inputs", "message", True, TENSOR_METADATA),
    Field(5, "outputs", "message", True, TENSOR_METADATA),
)

# Inference

_PARAMETERS = (
    Field(1, "bool_param", "bool"),
    Field(2, "int64_param", "int64"),
    Field(3, "string_param", "string"),
    Field(4, "double_param", "double"),
    Field(5, "uint64_param", "uint64"),
)
PARAMETER = Message(*_PARAMETERS, one_of=tuple(field.name for field in _PARAMETERS))
CONTENTS = Message(
    Field(1, "bool_contents", "bool", True),
    Field(2, "int_contents", "int32", True),
    Field(3, "int64_contents", "int64", True),
    Field(4, "uint_contents", "uint32", True),
    Field(5, "uint64_contents", "uint64", True),
    Field(6, "fp32_contents", "float", True),
    Field(7, "fp64_contents", "double", True),
    Field(8, "bytes_contents", "bytes", True),
)
TENSOR = Message(
    Field(1, "name", "string"),
    Field(2, "datatype", "string"),
    Field(3, "shape", "int64", True),
    mapping(4, "parameters", PARAMETER),
    Field(5, "contents", "message", message=CONTENTS),
)
REQUESTED_OUTPUT = Message(Field(1, "name", "string"), mapping(2, "parameters", PARAMETER))
INFER_REQUEST = Message(
    *_texts("model_name", "model_version", "id"),
    mapping(4, "parameters", PARAMETER),
    Field(5, "inputs", "message", True, TENSOR),
    Field(6, "outputs", "message", True, REQUESTED_OUTPUT),
    Field(7, "raw_input_contents", "view", True),
)
INFER_RESPONSE = Message(
    *_texts("model_name", "model_version", "id"),
    mapping(4, "parameters", PARAMETER),
    Field(5, "outputs", "message", True, TENSOR),
    Field(6, "raw_output_contents", "view", True),
)
STREAM_ANSWER = Message(Field(1, "error_message", "string"), Field(2, "infer_response", "view"))
"""A ``ModelStreamInferResponse`` around an answer that is encoded already."""

# Triton's configuration: what describes the inputs and outputs

CONFIG_INPUT = Message(
    Field(1, "name", "string"), Field(2, "data_type", "enum"), Field(4, "dims", "int64", True)
)
CONFIG_OUTPUT = Message(
    Field(1, "name", "string"), Field(2, "data_type", "enum"), Field(3, "dims", "int64", True)
)
CONFIG = Message(
    *_texts("name", "platform"),
    Field(4, "max_batch_size", "int32"),
    Field(5, "input", "message", True, CONFIG_INPUT),
    Field(6, "output", "message", True, CONFIG_OUTPUT),
    Field(17, "backend", "string"),
)
MODEL_CONFIG = Message(Field(1, "config", "message", message=CONFIG))

# Statistics

_DURATION = Message(Field(1, "count", "uint64"), Field(2, "ns", "uint64"))


def _durations(first: int, *names: str) -> Tuple[Field, ...]:
    return tuple(
        Field(number, name, "message", message=_DURATION)
        for number, name in enumerate(names, first)
    )


INFER_STATISTICS = Message(
    *_durations(1, "success", "fail", "queue", "compute_input", "compute_infer", "compute_output"),
    *_durations(7, "cache_hit", "cache_miss"),
)
BATCH_STATISTICS = Message(
    Field(1, "batch_size", "uint64"),
    *_durations(2, "compute_input", "compute_infer", "compute_output"),
)
MODEL_STATISTICS = Message(
    *_texts("name", "version"),
    Field(3, "last_inference", "uint64"),
    Field(4, "inference_count", "uint64"),
    Field(5, "execution_count", "uint64"),
    Field(6, "inference_stats", "message", message=INFER_STATISTICS),
    Field(7, "batch_stats", "message", True, BATCH_STATISTICS),
)
STATISTICS = Message(Field(1, "model_stats", "message", True, MODEL_STATISTICS))

# The repository of models

_REPOSITORY_PARAMETERS = (
    Field(1, "bool_param", "bool"),
    Field(2, "int64_param", "int64"),
    Field(3, "string_param", "string"),
    Field(4, "bytes_param", "view"),
)
REPOSITORY_PARAMETER = Message(
    *_REPOSITORY_PARAMETERS, one_of=tuple(field.name for field in _REPOSITORY_PARAMETERS)
)
INDEX_REQUEST = Message(Field(1, "repository_name", "string"), Field(2, "ready", "bool"))
MODEL_INDEX = Message(*_texts("name", "version", "state", "reason"))
INDEX = Message(Field(1, "models", "message", True, MODEL_INDEX))
REPOSITORY_REQUEST = Message(
    *_texts("repository_name", "model_name"), mapping(3, "parameters", REPOSITORY_PARAMETER)
)

# grpc.health.v1

HEALTH_REQUEST = Message(Field(1, "service", "string"))
HEALTH = Message(Field(1, "status", "enum"))
