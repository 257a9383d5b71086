"""The panel of SageMaker: endpoints of an account, what a deploy costs, and what is running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import Option, TargetSpec
from studio.api.qt_platform import PlatformPanel, touched
from studio_sagemaker.address import parse_address
from studio_sagemaker.names import suggest
from studio_sagemaker.options import DEPLOY_OPTIONS, TARGET_OPTIONS

_PLACE = (
    Option("region", title="Region", help="eu-central-1, us-east-1 ..."),
    Option(
        "endpoint",
        title="Endpoint",
        help="Endpoint name. The first deployment creates the endpoint.",
    ),
)


class EndpointPanel(PlatformPanel):
    """One endpoint of an AWS account."""

    heading: ClassVar = "SageMaker endpoint"
    place_options: ClassVar = (*_PLACE, *TARGET_OPTIONS)
    deploy_options: ClassVar = DEPLOY_OPTIONS
    no_target: ClassVar = (
        "No endpoint added yet. Enter a region and an endpoint. Credentials come from an AWS "
        "profile or from environment variables."
    )

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        region, endpoint = values.get("region") or "", values.get("endpoint") or ""
        url = f"sagemaker://{region}/{endpoint}"
        parse_address(url)
        name = suggest(f"{region}-{endpoint}")
        return TargetSpec(name, url, "", touched(TARGET_OPTIONS, values))
