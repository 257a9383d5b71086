"""Options of a deploy completed from the account, and what stands in its way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from studio.api import Action, Parcel, Refused
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.desired_state import DesiredState
from studio_sagemaker.names import EndpointNames
from studio_sagemaker.options import ASYNC, REALTIME, SERVERLESS
from studio_sagemaker.refusals import AwsRefusal
from studio_sagemaker.storage import Storage

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))"
)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
_TYPES = "ProductionVariantInstanceType"
_NO_IMAGE = "Make one with studio package --image ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG"


def desired(
    place: EndpointNames, account: str, parcel: Parcel, options: Mapping[str, Any]
) -> DesiredState:
    """Return a deploy with bucket and image filled in, without checking it."""
    bucket = str(options.get("bucket") or default_bucket(place, account))
    return DesiredState(
        place, parcel, options, bucket, fill_image(parcel, options), str(options["role"] or "")
    )


def default_bucket(place: EndpointNames, account: str) -> str:
    """Return the bucket that SageMaker's own library uses."""
    return f"sagemaker-{place.region}-{account}"


def fill_image(parcel: Parcel, options: Mapping[str, Any]) -> str:
    """Return the image with ``{name}``, ``{version}`` and ``{digest}`` replaced."""
    image = str(options.get("image") or "")
    words = {"name": parcel.name, "version": str(parcel.version), "digest": parcel.digest[:12]}
    for word, text in words.items():
        image = image.replace(f"{{{word}}}", text)
    return image


class PreflightChecks:
    """Looks at what a deploy needs to have."""

    def __init__(self, cloud: Cloud, place: EndpointNames) -> None:
        self._cloud = cloud
        self._place = place

    def find(self, wanted: DesiredState) -> list[Action]:
        """Return blockers and warnings."""
        return [
            *self._image(wanted.image),
            *self._role(wanted.role),
            *self._bucket(wanted.bucket),
            *_instances(wanted),
            *self._type(wanted),
            *_language(wanted),
        ]

    def _image(self, image: str) -> Iterator[Action]:
        if not image:
            hint = f"{_NO_IMAGE} --set push=yes, and give it with --set image=..."
            yield Action("image", "SageMaker needs an image in ECR.", "blocked", hint)
            return
        found = _IMAGE.fullmatch(image)
        if not found:
            text = f"SageMaker takes images from ECR with a tag or digest only, not {image!r}."
            yield Action("image", text, "blocked", f"{_NO_IMAGE}.")
        elif found["region"] != self._place.region:
            text = f"The image lies in {found['region']}, the endpoint in {self._place.region}."
            yield Action("image", text, "blocked", "Push it to ECR in the endpoint's region.")
        else:
            yield from self._exists(image, found)

    def _exists(self, image: str, found: re.Match[str]) -> Iterator[Action]:
        wanted = {"imageDigest": found["digest"]} if found["digest"] else {"imageTag": found["tag"]}
        try:
            answer = self._cloud.find(
                "ecr",
                "describe_images",
                f"look at the image {image}",
                registryId=found["account"],
                repositoryName=found["repository"],
                imageIds=[wanted],
            )
        except AwsRefusal as error:
            if not error.forbidden:
                raise
            yield Action("image", f"Not checked whether {image} exists.", "warning")
            return
        if answer is None:
            hint = f"Push it: studio package --image {image} --set push=yes"
            yield Action("image", f"ECR has no image {image}.", "blocked", hint)

    def _role(self, role: str) -> Iterator[Action]:
        if not role:
            hint = "Give the ARN of an IAM role for SageMaker: --set role=arn:aws:iam::...:role/..."
            yield Action("role", "Missing IAM role for SageMaker.", "blocked", hint)
        elif not _ROLE.fullmatch(role):
            hint = "Like arn:aws:iam::123456789012:role/SageMaker."
            yield Action("role", f"{role!r} is not the ARN of a role.", "blocked", hint)

    def _type(self, wanted: DesiredState) -> Iterator[Action]:
        """Warn of an instance type that the SDK does not list; a newer type may still exist."""
        kind = str(wanted.options["instance_type"])
        known = self._cloud.client("sagemaker").meta.service_model
        if wanted.mode != SERVERLESS and kind not in known.shape_for(_TYPES).enum:
            text = f"The instance type {kind} is not in the list of the installed boto3."
            yield Action("instances", text, "warning", "Check the spelling.")

    def _bucket(self, bucket: str) -> Iterator[Action]:
        if not Storage(self._cloud, self._place).has_bucket(bucket):
            hint = f"Make it (aws s3 mb s3://{bucket} --region {self._place.region}), or name "
            text = f"There is no bucket {bucket}."
            yield Action("bucket", text, "blocked", f"{hint}another with --set bucket=NAME.")


def _instances(wanted: DesiredState) -> Iterator[Action]:
    kind = str(wanted.options["instance_type"])
    if wanted.mode != SERVERLESS and not _INSTANCE.fullmatch(kind):
        hint = "Like ml.c6i.large or ml.g5.xlarge."
        yield Action("instances", f"{kind!r} is not an instance type.", "blocked", hint)
    least, most = int(wanted.options["instances"]), int(wanted.options["max_instances"])
    if 0 < most < least:
        text = f"Maximum instances ({most}) is below Instances ({least})."
        yield Action("instances", text, "blocked", "Raise Maximum instances, or lower Instances.")
    if most and wanted.mode != REALTIME:
        text = "Autoscaling needs real-time inference."
        yield Action("autoscaling", text, "blocked", "Set Maximum instances to 0.")
    if wanted.options.get("canary") and wanted.mode != REALTIME:
        text = "A canary needs real-time inference."
        yield Action("canary", text, "blocked", "Deploy it without --canary.")


def _language(wanted: DesiredState) -> Iterator[Action]:
    """Yield what a language model can do in a mode of inference."""
    parcel = wanted.parcel
    if not parcel.manifest.get("generation"):
        return
    if wanted.mode == ASYNC:
        text = "An asynchronous endpoint writes whole answers to the bucket: there are no streams."
        hint = "Deploy with --set mode=realtime for streams."
        yield Action("language", text, "warning", hint)
        return
    streams = "streams by InvokeEndpointWithResponseStream"
    text = f"conversations by InvokeEndpoint for up to 60 s, {streams}"
    yield Action("language", text, "checked")
    memory = int(wanted.options["memory_mb"])
    if wanted.mode == SERVERLESS and parcel.memory_mb > memory:
        text = f"The model takes about {parcel.memory_mb:,} MB, more than the {memory:,} MB of "
        hint = "Raise memory_mb, or deploy with a smaller --context or fewer --slots."
        yield Action("memory", f"{text}a serverless endpoint.", "blocked", hint)


def refuse_blocked(actions: list[Action]) -> None:
    """Stop before anything is changed.

    Raises:
        Refused: for the first block; the others are in its detail.
    """
    if blocked := [one for one in actions if one.state == "blocked"]:
        others = "\n".join(f"{one.text} {one.hint}" for one in blocked[1:])
        raise Refused(blocked[0].text, hint=blocked[0].hint, detail=others)
