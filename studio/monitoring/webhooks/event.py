"""An event with its attributes, and its two forms in HTTP (CloudEvents 1.0, HTTP binding)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.monitoring.webhooks.options import STRUCTURED

SIGNATURE = "Edgewright-Signature"
PREFIX = "edgewright."
_JSON, _EVENT = "application/json", "application/cloudevents+json; charset=utf-8"
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F))).replace('"', "").replace("%", "")
"""Characters that the binding leaves as they are in a header."""


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """An event in the form of CloudEvents.

    Attributes:
        id: Equal for the same event, however often it is sent.
        source: URI reference of the studio (``/edgewright/desk``).
        type: Such as ``edgewright.release.deployed``.
        subject: Name of the target; empty without one.
        time: ISO time in UTC.
    """

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Mapping[str, JsonValue]

    @classmethod
    def of(
        cls,
        type: str,
        subject: str,
        data: Mapping[str, JsonValue],
        source: str,
        key: str,
        time: str = "",
    ) -> CloudEvent:
        """Return the event whose id follows from its type, subject and key."""
        text = "\n".join((source, type, subject, key))
        identifier = hashlib.sha256(text.encode()).hexdigest()[:32]
        at = time or datetime.now(UTC).isoformat(timespec="milliseconds")
        return cls(identifier, source, type, subject, at, data)

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of the specification, without those that are empty."""
        found = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time,
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class EventRequest:
    """Headers and body of a request."""

    headers: Mapping[str, str]
    body: bytes


def message_of(event: CloudEvent, mode: str, signing: str = "") -> EventRequest:
    """Return an event as a request.

    Args:
        mode: ``binary`` or ``structured``.
        signing: Key of the HMAC-SHA-256 over the attributes and the body; empty for none.
    """
    if mode == STRUCTURED:
        document = {**event.attributes, "datacontenttype": _JSON, "data": dict(event.data)}
        headers, body = {"Content-Type": _EVENT}, _bytes(document)
    else:
        body = _bytes(dict(event.data))
        headers = {f"ce-{name}": header_text(value) for name, value in event.attributes.items()}
        headers["Content-Type"] = _JSON
    if signing:
        headers[SIGNATURE] = "sha256=" + signature(event, body, signing)
    return EventRequest(headers, body)


def signature(event: CloudEvent, body: bytes, key: str) -> str:
    """Return the HMAC-SHA-256 of id, source, type, subject and time, a line each, and the body.

    In the binary form the attributes are headers, which a signature of the body would not cover.
    """
    names = (event.id, event.source, event.type, event.subject, event.time)
    content = "".join(f"{name}\n" for name in names).encode() + body
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()


def header_text(value: str) -> str:
    """Return an attribute as the binding writes it in a header: others percent-encoded."""
    return quote(value, safe=_PRINTABLE, errors="replace")


def _bytes(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), default=str).encode()
