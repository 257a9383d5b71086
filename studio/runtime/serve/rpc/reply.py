"""An answer over gRPC: a message, or a status with a sentence."""

from __future__ import annotations

from typing import Dict, List, Tuple

from ..http.message import HttpError, Response

CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    413: "RESOURCE_EXHAUSTED",
    415: "INVALID_ARGUMENT",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    507: "RESOURCE_EXHAUSTED",
}
"""The status of HTTP -> the one of gRPC that says the same."""

Metadata = Tuple[Tuple[str, str], ...]


class Reply(Response):
    """An answer before it is sent, logged like one of HTTP.

    Attributes:
        code: Name of gRPC's status.
        sentence: What went wrong; empty when nothing did.
        trace: The request's ``traceparent``.
    """

    __slots__ = ("code", "sentence", "trace")

    def __init__(self, message: bytes = b"", headers: str = "") -> None:
        super().__init__(200, message, "application/grpc", headers)
        self.code = "OK"
        self.sentence = ""
        self.trace = ""

    @property
    def metadata(self) -> Metadata:
        """Metadata of the message, or of the status."""
        found = _metadata(self.headers)
        return (*found, ("traceparent", self.trace)) if self.trace else found


def refusal(status: int, sentence: str, headers: str = "", code: str = "") -> Reply:
    """Return an answer that contains the error.

    Args:
        status: That HTTP would have, for the log.
        code: Of gRPC, where it does not follow from the status.
    """
    reply = Reply(sentence.encode("utf-8"), headers)
    reply.status = status
    reply.code = code or CODES.get(status, "INTERNAL")
    reply.sentence = sentence
    return reply


def refused(error: HttpError) -> Reply:
    """Return the answer to a request that met an error."""
    return refusal(error.status, error.sentence, error.headers)


_KEPT = 64
_known: Dict[str, Metadata] = {}


def _metadata(headers: str) -> Metadata:
    """Return header lines as metadata; a Retry-After also controls gRPC's own retries."""
    found = _known.get(headers)
    if found is None:
        pairs: List[Tuple[str, str]] = []
        for line in filter(None, headers.split("\r\n")):
            name, _, value = line.partition(":")
            pairs.append((name.lower(), value.strip()))
            if name.lower() == "retry-after":
                pairs.append(("grpc-retry-pushback-ms", value.strip() + "000"))
        if len(_known) >= _KEPT:
            _known.clear()
        found = _known[headers] = tuple(pairs)
    return found
