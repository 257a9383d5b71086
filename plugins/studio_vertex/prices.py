"""List prices of prediction machines by the hour, and what a deployment costs by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AS_OF = "2025-06"
REGION = "us-central1"

_MACHINES = {
    "e2-standard-2": 0.077,
    "e2-standard-4": 0.154,
    "n1-standard-2": 0.109,
    "n1-standard-4": 0.219,
    "n1-standard-8": 0.437,
    "g2-standard-4": 0.813,
    "g2-standard-8": 0.982,
    "a2-highgpu-1g": 4.224,
    "a2-ultragpu-1g": 5.782,
    "a3-highgpu-8g": 101.007,
}
"""USD; those with a built-in accelerator include it."""
_ATTACHED = {"NVIDIA_TESLA_T4": 0.402}
"""Accelerators that are added to n1 machines."""
_BUILT_IN = ("g2-", "a2-", "a3-")


def cost_per_hour(resources: Mapping[str, Any], region: str) -> tuple[float | None, str]:
    """Return USD per hour at the least number of replicas, with the calculation.

    Args:
        resources: DedicatedResources as Vertex AI has them.
    """
    spec = dict(resources.get("machineSpec") or {})
    machine = str(spec.get("machineType") or "")
    price = _MACHINES.get(machine)
    kind = str(spec.get("acceleratorType") or "")
    if price is not None and kind and not machine.startswith(_BUILT_IN):
        extra = _ATTACHED.get(kind)
        price = None if extra is None else price + extra * int(spec.get("acceleratorCount") or 1)
    if price is None:
        return None, f"The price of {machine or 'this machine'} is not known here."
    if region != REGION:
        return (
            None,
            f"Prices of {region} are not known here; {machine} lists at {price:.2f} USD "
            f"an hour in {REGION} ({AS_OF}).",
        )
    least = int(resources.get("minReplicaCount") or 1)
    most = int(resources.get("maxReplicaCount") or least)
    more = f", up to {price * most:.2f} USD with {most}" if most > least else ""
    note = f"{least} x {machine}, list price of {REGION} as of {AS_OF}{more}; without traffic, logs"
    return price * least, f"{note} and taxes. It is due while nobody asks, too."
