"""The sheet of SageMaker: which endpoint of the account, and how it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from studio.api import Option, TargetSpec
from studio.api.sheets import DeploySheet, touched
from studio_sagemaker.address import parse_address
from studio_sagemaker.names import suggest
from studio_sagemaker.options import DEPLOY_OPTIONS, TARGET_OPTIONS

_PLACE = (
    Option("region", title="Region", required=True, help="eu-central-1, us-east-1 ..."),
    Option(
        "endpoint",
        title="Endpoint",
        required=True,
        help="Endpoint name. The first deployment creates the endpoint.",
    ),
)
_OFTEN = ("image", "mode", "instance_type", "instances")
"""Options that most deployments set; the others are folded away."""


class EndpointSheet(DeploySheet):
    """One endpoint of an AWS account."""

    place_options: ClassVar = (*_PLACE, *TARGET_OPTIONS)
    deploy_options: ClassVar = tuple(
        replace(option, advanced=option.name not in _OFTEN) for option in DEPLOY_OPTIONS
    )

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The endpoint of the region.

        Raises:
            UsageError: when there can be no such endpoint.
        """
        region, endpoint = values.get("region") or "", values.get("endpoint") or ""
        url = f"sagemaker://{region}/{endpoint}"
        parse_address(url)
        name = suggest(f"{region}-{endpoint}")
        return TargetSpec(name, url, "", touched(TARGET_OPTIONS, values))
