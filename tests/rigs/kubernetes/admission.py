"""What the API checks and fills in before an object is kept."""

from __future__ import annotations

import re
from typing import Any

from tests.rigs.kubernetes.store import ApiFailure

Json = dict[str, Any]


def defaults(manifest: Json) -> Json:
    """Fields that the server fills in."""
    spec = manifest.get("spec") or {}
    if manifest["kind"] == "Deployment":
        spec.setdefault("replicas", 1)
    if manifest["kind"] == "Service":
        spec.setdefault("type", "ClusterIP")
        spec.setdefault("clusterIP", "10.96.0.10")
    return manifest


def validate(manifest: Json, old: Json | None) -> None:
    """Refuse what the server refuses.

    Raises:
        ApiFailure: with the server's own words.
    """
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name):
        raise _invalid(kind, name, "metadata.name", "a lowercase RFC 1123 subdomain must consist")
    if kind == "Deployment":
        _deployment(manifest, old, name)
    if kind == "ConfigMap":
        keys = ("data", "binaryData")
        if old and old.get("immutable") and any(old.get(k) != manifest.get(k) for k in keys):
            text = "field is immutable when `immutable` is set"
            raise _invalid(kind, name, "data", text)
        if sum(len(v) for v in (manifest.get("binaryData") or {}).values()) > (1 << 20) * 4 / 3:
            raise _invalid(kind, name, "", "Too long: may not be more than 1048576 bytes")


def _deployment(manifest: Json, old: Json | None, name: str) -> None:
    spec = manifest["spec"]
    wanted = spec["selector"]["matchLabels"]
    if not wanted.items() <= spec["template"]["metadata"]["labels"].items():
        text = "`selector` does not match template `labels`"
        raise _invalid("Deployment", name, "spec.template.metadata.labels", text)
    if old is not None and old["spec"]["selector"] != spec["selector"]:
        raise _invalid("Deployment", name, "spec.selector", "field is immutable")


def _invalid(kind: str, name: str, field: str, text: str) -> ApiFailure:
    message = f'{kind} "{name}" is invalid: {field}: Invalid value: {text}'
    cause = {"reason": "FieldValueInvalid", "message": f"Invalid value: {text}", "field": field}
    return ApiFailure(422, "Invalid", message, [cause])
