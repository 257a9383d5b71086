"""Names, labels and annotations: which are ours, and which the cluster accepts."""

from __future__ import annotations

import re

MANAGER = "edgewright"
"""Field manager of what we apply, and the value of the label that marks what we made."""

MANAGED_BY = "app.kubernetes.io/managed-by"
MODEL = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
VERSION = "app.kubernetes.io/version"
TRACK = "edgewright/track"
RELEASE_LABEL = "edgewright/release"
RELEASE = "edgewright/release-digest"
OWNER = "edgewright/owner"
MODEL_NAME = "edgewright/model"
PERCENT = "edgewright/canary-percent"
STABLE_RELEASE = "edgewright/stable-release"
"""Of an InferenceService, which is one object for both releases."""

STABLE = "stable"
CANARY = "canary"

LONGEST = 40
"""Longest name of a target, so that every name derived from it has at most 63 characters."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")


def is_label(text: str) -> bool:
    """Return whether a text is a DNS label (RFC 1123), as namespaces are named."""
    return len(text) <= 63 and _LABEL.fullmatch(text) is not None


def is_service_name(text: str) -> bool:
    """Return whether a text is a DNS label with a letter first (RFC 1035), as services need."""
    return len(text) <= 63 and _SERVICE.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Return whether a text is a DNS subdomain (RFC 1123), as most objects are named."""
    return len(text) <= 253 and _SUBDOMAIN.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """Return whether a text may be a label's value."""
    return len(text) <= 63 and _VALUE.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """Return whether a text may be a label's key: a name, or DNS subdomain, slash and name."""
    prefix, slash, name = text.rpartition("/")
    named = bool(name) and is_label_value(name)
    return named and (is_subdomain(prefix) if slash else True)


def suggest(text: str) -> str:
    """Return the nearest valid service name."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not plain or not plain[0].isalpha():
        plain = f"model-{plain}".rstrip("-")
    return plain[:LONGEST].rstrip("-")


def as_label_value(text: str) -> str:
    """Return a text as a label's value, with dashes for characters that are not allowed."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:63]
    return re.sub(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$", "", plain)


def short(digest: str) -> str:
    """Return a release's digest shortened for labels and names."""
    return digest[:12]
