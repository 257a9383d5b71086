"""Snapshot of an endpoint: its releases and their shares of the requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio_sagemaker.desired_state import Json
from studio_sagemaker.endpoint import Endpoint
from studio_sagemaker.names import CANARY_VARIANT, MAIN_VARIANT

_ANSWERING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})


@dataclass(frozen=True, slots=True)
class Served:
    """A view of the endpoint at one moment.

    Attributes:
        status: AWS's word, empty where there is no endpoint.
        configuration: Its name.
        variants: By name, as the configuration has them.
        releases: Digest of each variant's release, by the variant's name.
        percent: Of the requests for the canary.
    """

    status: str = ""
    configuration: str = ""
    variants: Mapping[str, Json] = field(default_factory=dict)
    releases: Mapping[str, str] = field(default_factory=dict)
    percent: int = 0

    @property
    def answering(self) -> bool:
        """Whether requests are answered."""
        return self.status in _ANSWERING

    @property
    def main(self) -> str:
        """Release that gets all requests, or the rest of them."""
        return self.releases.get(MAIN_VARIANT, "") if self.answering else ""

    @property
    def canary(self) -> str:
        """Release with the smaller share of the requests; empty without a canary."""
        return self.releases.get(CANARY_VARIANT, "") if self.answering else ""


def poll(endpoint: Endpoint) -> Served:
    """Ask AWS."""
    found = endpoint.describe()
    if found is None:
        return Served()
    configuration = str(found.get("EndpointConfigName") or "")
    variants = {str(one["VariantName"]): one for one in endpoint.variants(configuration)}
    releases = {name: endpoint.release_of(one) for name, one in variants.items()}
    percent = _percent(found) if CANARY_VARIANT in variants else 0
    return Served(str(found["EndpointStatus"]), configuration, variants, releases, percent)


def _percent(found: Mapping[str, Any]) -> int:
    weights = {
        str(one["VariantName"]): float(one.get("CurrentWeight") or 0)
        for one in found.get("ProductionVariants") or ()
    }
    total = sum(weights.values())
    return round(100 * weights.get(CANARY_VARIANT, 0) / total) if total else 0
