"""List prices of instances by the hour, and what a deployment costs by them."""

from __future__ import annotations

AS_OF = "2025-06"
REGION = "eastus"

_PRICES = {
    "Standard_DS2_v2": 0.146,
    "Standard_DS3_v2": 0.293,
    "Standard_DS4_v2": 0.585,
    "Standard_F2s_v2": 0.085,
    "Standard_F4s_v2": 0.169,
    "Standard_NC4as_T4_v3": 0.526,
    "Standard_NC24ads_A100_v4": 3.673,
    "Standard_NC40ads_H100_v5": 6.980,
}
"""USD for Linux, pay as you go."""


def cost_per_hour(instance: str, count: int, most: int, region: str) -> tuple[float | None, str]:
    """Return USD per hour at the least number of instances, with the calculation."""
    price = _PRICES.get(instance)
    if price is None:
        return None, f"The price of {instance} is not known here."
    if region != REGION:
        listed = f"{instance} lists at {price:.2f} USD an hour in {REGION} ({AS_OF})."
        return None, f"Prices of {region} are not known here; {listed}"
    more = f", up to {price * most:.2f} USD with {most}" if most > count else ""
    note = f"{count} x {instance}, list price of {REGION} as of {AS_OF}{more}"
    return price * count, f"{note}; without traffic, logs and taxes. It is due while nobody asks."
