"""SageMaker endpoints as targets, opened with the credentials that the SDK finds."""

from __future__ import annotations

from studio.api import Identity, Option, Progress, TargetSpec, Unavailable, validate
from studio_sagemaker.address import parse_address
from studio_sagemaker.names import EndpointNames
from studio_sagemaker.options import DEPLOY_OPTIONS, TARGET_OPTIONS

try:
    from studio_sagemaker.cloud import Cloud
    from studio_sagemaker.site import SageMakerSite
except ModuleNotFoundError as error:
    if error.name not in ("boto3", "botocore", "s3transfer"):
        raise
    raise Unavailable(
        "The library boto3 is not installed.", hint="Install the extra: edgewright[sagemaker]."
    ) from None


class SageMakerPlatform:
    """Serves bundles at SageMaker endpoints."""

    id = "sagemaker"
    title = "Amazon SageMaker"
    schemes = ("sagemaker",)
    options: tuple[Option, ...] = TARGET_OPTIONS
    deploy_options: tuple[Option, ...] = DEPLOY_OPTIONS

    def open(self, target: TargetSpec, progress: Progress) -> SageMakerSite:
        place = parse_address(target.url)
        names = {option.name for option in self.options}
        given = {name: text for name, text in target.settings.items() if name in names}
        settings = validate(self.options, given)
        profile = settings["profile"] or None
        cloud = Cloud(place.region, str(profile) if profile else None)
        return SageMakerSite(cloud, place, _identify(cloud, place, profile or ""), settings)


def _identify(cloud: Cloud, place: EndpointNames, profile: str) -> Identity:
    """Ask STS: it needs no right, and no answer means no credentials."""
    answer = cloud.call("sts", "get_caller_identity", "ask who you are")
    account = str(answer["Account"])
    facts = {"account": account, "region": place.region, "profile": profile}
    return Identity(str(answer["Arn"]), f"account {account}, region {place.region}", facts)
