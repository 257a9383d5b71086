"""One target's place in an engine: the names and labels of everything that is its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from studio.api import Parcel
from studio_docker.image.settings import LABEL

RELEASE, GATE = "release", "gate"


@dataclass(frozen=True, slots=True)
class EngineNames:
    """Names below one prefix, so that two targets of one engine never meet."""

    name: str

    @property
    def label(self) -> str:
        """On everything of this target."""
        return f"{LABEL}.target={self.name}"

    @property
    def repository(self) -> str:
        """Of its images."""
        return f"{LABEL}/{self.name}"

    @property
    def volume(self) -> str:
        """Volume that the listener and the releases share."""
        return f"{LABEL}-{self.name}"

    @property
    def app_volume(self) -> str:
        """Volume with the events of an app that are not delivered yet."""
        return f"{LABEL}-{self.name}-app"

    @property
    def gate(self) -> str:
        """The container that keeps the port."""
        return f"{LABEL}-{self.name}-gate"

    @property
    def gate_image(self) -> str:
        """Image of the listener's container."""
        return f"{self.repository}:gate"

    def image(self, release: str) -> str:
        """Return the name of a release's image."""
        return f"{self.repository}:{release[:12]}"

    def container(self, release: str, wish: str) -> str:
        """Return the name of a release's container, which depends on its settings."""
        return f"{LABEL}-{self.name}-{release[:12]}-{wish[:6]}"

    def labels(self, role: str) -> dict[str, str]:
        """Return the labels of a container or a volume."""
        return {f"{LABEL}.target": self.name, f"{LABEL}.role": role}

    def release_labels(self, parcel: Parcel, wish: str, guarded: bool) -> dict[str, str]:
        """Return the labels of a release's container."""
        return {
            **self.labels(RELEASE),
            f"{LABEL}.release": parcel.digest,
            f"{LABEL}.name": parcel.name,
            f"{LABEL}.version": str(parcel.version),
            f"{LABEL}.by": parcel.owner,
            f"{LABEL}.at": datetime.now(UTC).isoformat(timespec="seconds"),
            f"{LABEL}.wish": wish,
            f"{LABEL}.guarded": "yes" if guarded else "no",
        }


def wish_of(values: Mapping[str, Any]) -> str:
    """Return a short name for settings: equal settings, equal name."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
