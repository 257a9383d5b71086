"""Names and labels of everything of one target, and what they say when they are read back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from studio.api import Parcel
from studio_vertex.options import ACCELERATORS

TARGET, RELEASE, REST = "edgewright-target", "edgewright-release", "edgewright-release-rest"
VERSION, OWNER, AT, STATE = (
    "edgewright-version",
    "edgewright-owner",
    "edgewright-at",
    "edgewright-state",
)
FAILED = "failed"
_HALF = 32
"""A label holds 63 characters, a digest has 64: two labels of one half each."""


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Serving settings of a release."""

    image: str
    resources: Mapping[str, Any]
    service_account: str
    timeout_s: float

    @staticmethod
    def of(parcel: Parcel, options: Mapping[str, Any]) -> ServeSettings:
        """Return the settings in the options of a deploy."""
        image = str(options.get("image") or "")
        for key, value in (("{name}", parcel.name), ("{version}", str(parcel.version))):
            image = image.replace(key, value)
        account = str(options.get("service_account") or "")
        return ServeSettings(image, _resources(options), account, float(options["timeout_s"]))


def _resources(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as Vertex AI's DedicatedResources."""
    spec: dict[str, Any] = {"machineType": str(options["machine"])}
    kind = ACCELERATORS[str(options["accelerator"])]
    if kind:
        spec |= {"acceleratorType": kind, "acceleratorCount": int(options["accelerators"])}
    least = int(options["replicas"])
    most = int(options["max_replicas"]) or least
    found = {"machineSpec": spec, "minReplicaCount": least, "maxReplicaCount": most}
    if most > least:
        load = "accelerator/duty_cycle" if kind else "cpu/utilization"
        metric = f"aiplatform.googleapis.com/prediction/online/{load}"
        found["autoscalingMetricSpecs"] = [
            {"metricName": metric, "target": int(options["scale_at"])}
        ]
    return found


def model_id(endpoint: str, digest: str, image: str) -> str:
    """Return the ID of a release's model, the same for a repeated deploy."""
    of_image = hashlib.sha256(image.encode()).hexdigest()[:6]
    return f"{endpoint}-{digest[:12]}-{of_image}"


def labels_of(endpoint: str, parcel: Parcel) -> dict[str, str]:
    """Return the labels of a release's model."""
    return {
        TARGET: endpoint,
        RELEASE: parcel.digest[:_HALF],
        REST: parcel.digest[_HALF:],
        VERSION: str(parcel.version),
        OWNER: as_label(parcel.owner),
    }


def digest_of(labels: Mapping[str, str]) -> str:
    """Return the release in some labels."""
    return str(labels.get(RELEASE, "")) + str(labels.get(REST, ""))


def as_label(text: str) -> str:
    """Return a text in the characters of a label's value."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:63]


def now_label() -> str:
    """Return the current time in the characters of a label's value."""
    return datetime.now(UTC).strftime("%Y%m%dt%H%M%S%fz")


def time_of(label: str) -> str:
    """Return the ISO 8601 time of such a label, or "" if it is invalid."""
    try:
        found = datetime.strptime(label, "%Y%m%dt%H%M%S%fz")
    except ValueError:
        return ""
    return found.replace(tzinfo=UTC).isoformat(timespec="seconds")
