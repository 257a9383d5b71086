"""AWS requests of a deploy: one release as a model, a variant, a configuration, an update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import Parcel
from studio_sagemaker.names import (
    CANARY,
    CANARY_VARIANT,
    MAIN_VARIANT,
    MAXIMUM,
    MODEL,
    OWNER,
    RELEASE,
    SCALE_AT,
    TARGET,
    VERSION,
    EndpointNames,
    as_tags,
)
from studio_sagemaker.options import ASYNC, REALTIME, SERVERLESS

Json = dict[str, Any]

_MODEL_FOLDER = "/opt/ml/model"
_START_S = 600
"""The longest that a container may take until it answers /ping."""


@dataclass(frozen=True, slots=True)
class DesiredState:
    """One release as it is to be served.

    Attributes:
        options: Checked deploy options.
        bucket, image, role: With everything filled in.
    """

    place: EndpointNames
    parcel: Parcel
    options: Mapping[str, Any]
    bucket: str
    image: str
    role: str

    @property
    def mode(self) -> str:
        """``realtime``, ``serverless`` or ``async``."""
        return str(self.options["mode"])

    def model(self) -> Json:
        """Return the request of CreateModel; its name depends on release, image and role."""
        container = {
            "Image": self.image,
            "ModelDataUrl": f"s3://{self.bucket}/{self.place.data_key(self.parcel.digest)}",
            # an image of ours may have an older bundle inside: the one from the bucket counts
            "Environment": {"EDGEWRIGHT_BUNDLE": _MODEL_FOLDER},
        }
        body = {"PrimaryContainer": container, "ExecutionRoleArn": self.role}
        return {"ModelName": self.place.named(body), **body, "Tags": as_tags(self.tags())}

    def tags(self) -> dict[str, str]:
        """Return the tags that identify a release at AWS."""
        return {
            TARGET: self.place.endpoint,
            RELEASE: self.parcel.digest,
            MODEL: self.parcel.name,
            VERSION: str(self.parcel.version),
            OWNER: self.parcel.owner,
        }

    def variant(self) -> Json:
        """Return the variant that sends all requests to the release."""
        variant: Json = {
            "VariantName": MAIN_VARIANT,
            "ModelName": self.model()["ModelName"],
            "InitialVariantWeight": 100.0,
        }
        if self.mode == SERVERLESS:
            memory, most = int(self.options["memory_mb"]), int(self.options["concurrency"])
            serverless = {"MemorySizeInMB": memory, "MaxConcurrency": most}
            return {**variant, "ServerlessConfig": serverless}
        return {
            **variant,
            "InstanceType": str(self.options["instance_type"]),
            "InitialInstanceCount": int(self.options["instances"]),
            "ContainerStartupHealthCheckTimeoutInSeconds": _START_S,
        }

    def configuration(self) -> Json:
        """Return the request of CreateEndpointConfig that sends the release all requests."""
        return configuration(self.place, [self.variant()], self._output(), self._config_tags())

    def canary(self, main: Json, percent: int) -> Json:
        """Return the configuration that sends the release the canary's share.

        Args:
            main: The variant that gets the rest.
        """
        main = {**main, "VariantName": MAIN_VARIANT, "InitialVariantWeight": 100.0 - percent}
        part = {
            **self.variant(),
            "VariantName": CANARY_VARIANT,
            "InitialVariantWeight": float(percent),
        }
        tags = {**self._config_tags(), CANARY: "yes"}
        return configuration(self.place, [main, part], self._output(), tags)

    def _output(self) -> str:
        return f"s3://{self.bucket}/{self.place.prefix}async/" if self.mode == ASYNC else ""

    def _config_tags(self) -> dict[str, str]:
        """Return tags with the autoscaling, because a rollback can read it only there."""
        most = int(self.options["max_instances"]) if self.mode == REALTIME else 0
        scaling = {MAXIMUM: str(most), SCALE_AT: str(self.options["scale_at"])} if most else {}
        return {**self.tags(), **scaling}


def configuration(
    place: EndpointNames, variants: list[Json], output: str, tags: Mapping[str, str]
) -> Json:
    """Return a request of CreateEndpointConfig, named without the weights, which may change."""
    body: Json = {"ProductionVariants": variants}
    if output:
        paths = {"S3OutputPath": f"{output}out", "S3FailurePath": f"{output}failed"}
        body["AsyncInferenceConfig"] = {"OutputConfig": paths}
    unweighted = [{**one, "InitialVariantWeight": 0} for one in variants]
    scaling = [tags.get(MAXIMUM, ""), tags.get(SCALE_AT, "")]
    name = place.named({**body, "ProductionVariants": unweighted, "scaling": scaling})
    return {"EndpointConfigName": name, **body, "Tags": as_tags(tags)}


def guardrails(
    options: Mapping[str, Any], alarms: list[str], before: list[Json], after: list[Json]
) -> Json:
    """Return the DeploymentConfig of an update, or none if SageMaker supports none.

    Args:
        before, after: Variants of the configurations; steps want the same single one.
    """
    if any("ServerlessConfig" in one for one in (*before, *after)):
        return {}
    single = len(before) == len(after) == 1
    shift = str(options["shift"]) if single else "all_at_once"
    policy = _rolling(options) if shift == "rolling" else _blue_green(options, shift)
    watched = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return {**policy, **({"AutoRollbackConfiguration": watched} if alarms else {})}


def _rolling(options: Mapping[str, Any]) -> Json:
    step = {"Type": "CAPACITY_PERCENT", "Value": int(options["step_percent"])}
    wait = int(options["bake_s"])
    return {"RollingUpdatePolicy": {"MaximumBatchSize": step, "WaitIntervalInSeconds": wait}}


def _blue_green(options: Mapping[str, Any], shift: str) -> Json:
    wait, percent = int(options["bake_s"]), int(options["step_percent"])
    routing: Json = {"Type": shift.upper(), "WaitIntervalInSeconds": wait}
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    if shift != "all_at_once":
        routing["CanarySize" if shift == "canary" else "LinearStepSize"] = size
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": 0,
        }
    }
