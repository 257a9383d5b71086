"""Schemas of bodies that several endpoints share, as in the contracts that they follow."""

from __future__ import annotations

from typing import Any, Dict

Schema = Dict[str, Any]


def ref(name: str) -> Schema:
    """Return a reference to a schema of the components."""
    return {"$ref": "#/components/schemas/" + name}


def _record(required: str, **properties: Schema) -> Schema:
    found: Schema = {"type": "object", "properties": properties}
    if required:
        found["required"] = required.split()
    return found


_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_ANY: Schema = {"type": "object", "additionalProperties": True}
_TENSOR = {
    "name": _TEXT,
    "datatype": {"type": "string", "description": "Such as FP32, INT64, UINT8, BYTES."},
    "shape": {"type": "array", "items": _WHOLE},
    "parameters": _ANY,
    "data": {"type": "array", "description": "Values, flat or nested; absent in binary bodies."},
}

SCHEMAS: Dict[str, Schema] = {
    "Object": _ANY,
    "Error": _record("error", error={"description": "A sentence, or an object with a message."}),
    "Tensor": _record("name datatype shape", **_TENSOR),
    "InferRequest": _record(
        "inputs",
        id=_TEXT,
        parameters=_ANY,
        inputs={"type": "array", "items": ref("Tensor")},
        outputs={"type": "array", "items": _record("name", name=_TEXT, parameters=_ANY)},
    ),
    "InferResponse": _record(
        "model_name outputs",
        model_name=_TEXT,
        model_version=_TEXT,
        id=_TEXT,
        outputs={"type": "array", "items": ref("Tensor")},
        labels={"type": ["array", "null"], "items": _ANY},
    ),
    "Instances": _record("", instances={"type": "array"}, inputs={}, signature_name=_TEXT),
    "Message": _record("role content", role=_TEXT, content={}),
    "ChatRequest": _record(
        "messages",
        model=_TEXT,
        messages={"type": "array", "items": ref("Message")},
        stream={"type": "boolean"},
        max_tokens=_WHOLE,
        temperature=_NUMBER,
        seed=_WHOLE,
    ),
    "CompletionRequest": _record(
        "prompt", model=_TEXT, prompt={}, stream={"type": "boolean"}, max_tokens=_WHOLE
    ),
    "EmbeddingsRequest": _record("input", model=_TEXT, input={}, encoding_format=_TEXT),
    "SpeechRequest": _record("input", model=_TEXT, input=_TEXT, response_format=_TEXT),
    "GenerateRequest": _record("text_input", text_input=_TEXT, parameters=_ANY),
    "Override": _record(
        "request decision",
        request={"type": "string", "description": "Value of the header Edgewright-Request."},
        decision=_TEXT,
        reason=_TEXT,
        by=_TEXT,
    ),
    "LoadRequest": _record("model_name url", model_name=_TEXT, url=_TEXT),
}
