"""Media types and schemas of requests and answers, by the end of an address."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

JSON = "application/json"
OCTETS = "application/octet-stream"
EVENTS = "text/event-stream"
PICTURES = ("image/jpeg", "image/png")


class Body(NamedTuple):
    """The content of a request or an answer: the schema of its JSON, and other media types."""

    schema: str = "Object"
    others: Tuple[str, ...] = ()
    json: bool = True


_INSTANCES = Body("Instances", (OCTETS, "text/csv", *PICTURES))

REQUESTS: Dict[str, Body] = {
    "infer": Body("InferRequest", (OCTETS,)),
    "invoke": Body("InferRequest", (OCTETS, *PICTURES)),
    "invocations": _INSTANCES,
    "score": _INSTANCES,
    ":predict": Body("Instances"),
    "predict": Body("InferRequest", PICTURES),
    "image": Body(others=PICTURES, json=False),
    "chat/completions": Body("ChatRequest"),
    "completions": Body("CompletionRequest"),
    "embeddings": Body("EmbeddingsRequest"),
    "speech": Body("SpeechRequest"),
    "generate": Body("GenerateRequest"),
    "generate_stream": Body("GenerateRequest"),
    "override": Body("Override"),
    "models": Body("LoadRequest"),
}
"""Of requests with POST; others take any JSON object. The longest end that fits counts."""

ANSWERS: Dict[str, Body] = {
    "infer": Body("InferResponse", (OCTETS,)),
    "invoke": Body("InferResponse", (OCTETS,)),
    "image": Body("InferResponse"),
    "chat/completions": Body(others=(EVENTS,)),
    "completions": Body(others=(EVENTS,)),
    "generate_stream": Body(others=(EVENTS,), json=False),
    "speech": Body(others=("audio/wav",), json=False),
    "metrics": Body(others=("text/plain",), json=False),
    "telemetry": Body(others=("text/plain",), json=False),
    "/about": Body(others=("text/html",)),
    "/app": Body(others=("text/html",), json=False),
    "preview": Body(others=("image/jpeg",), json=False),
    "stream/{name}": Body(others=("multipart/x-mixed-replace",), json=False),
}
"""Of answers with status 200; others are JSON objects."""


def body_of(table: Dict[str, Body], path: str) -> Body:
    """Return the row of the longest end of an address."""
    found = max((end for end in table if path.endswith(end)), key=len, default="")
    return table.get(found, Body())
