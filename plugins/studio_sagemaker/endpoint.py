"""The endpoint itself: its state, what it serves, and the minutes until AWS has changed it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from studio.api import Progress, TargetError
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.desired_state import Json
from studio_sagemaker.names import RELEASE, TARGET, EndpointNames, from_tags
from studio_sagemaker.refusals import plain

_MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_IN_STEPS_OF_S = 0.5


class Endpoint:
    """State and changes of one endpoint, read from AWS each time.

    Args:
        poll_s: Pause between two questions while AWS works.
        limit_s: How long to wait for one change.
    """

    def __init__(
        self,
        cloud: Cloud,
        place: EndpointNames,
        poll_s: float,
        limit_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cloud = cloud
        self._place = place
        self._poll_s = poll_s
        self._limit_s = limit_s
        self._clock = clock
        self._sleep = sleep

    @property
    def name(self) -> str:
        """Of the endpoint."""
        return self._place.endpoint

    def describe(self) -> Json | None:
        """Return AWS's description, or None if the endpoint does not exist."""
        what = f"look at the endpoint {self.name}"
        found: Json | None = self._cloud.find(
            "sagemaker", "describe_endpoint", what, EndpointName=self.name
        )
        return found

    def refuse_strangers(self) -> None:
        """Raise for an endpoint of this name that the studio did not create.

        Raises:
            TargetError: when the studio did not create it.
        """
        found = self.describe()
        if found and from_tags(self.tags(found["EndpointArn"])).get(TARGET) != self.name:
            raise TargetError(
                f"The endpoint {self.name} was not made by the studio, and is left alone.",
                hint="Choose another name for the target.",
            )

    def tags(self, arn: str) -> Sequence[Mapping[str, str]]:
        """Return the tags of any SageMaker resource."""
        return list(
            self._cloud.pages("sagemaker", "list_tags", "Tags", "read tags", ResourceArn=arn)
        )

    def variants(self, configuration: str) -> list[Json]:
        """Return the production variants of a configuration, or none without one."""
        what = f"look at the configuration {configuration}"
        found = self._cloud.find(
            "sagemaker", "describe_endpoint_config", what, EndpointConfigName=configuration
        )
        return list(found["ProductionVariants"]) if found else []

    def settled(self, progress: Progress) -> Json | None:
        """Wait until AWS has finished any change.

        Raises:
            TargetError: when it takes longer than the limit; AWS does not stop.
        """
        began = self._clock()
        while (found := self.describe()) and found["EndpointStatus"] in _MOVING:
            passed = self._clock() - began
            if passed > self._limit_s:
                raise TargetError(
                    f"AWS still works at {self.name} ({found['EndpointStatus']}).",
                    hint="It goes on without the studio; the same deploy later goes on from there.",
                )
            progress.progress(0, 0, f"{self.name}: {_stage(found)}, {passed:.0f} s")
            self._pause(progress)
        return found

    def create(self, configuration: str, tags: Sequence[Json], progress: Progress) -> None:
        """Make the endpoint and wait until it serves.

        Raises:
            TargetError: with AWS's reason.
        """
        self._cloud.call(
            "sagemaker",
            "create_endpoint",
            f"create the endpoint {self.name}",
            EndpointName=self.name,
            EndpointConfigName=configuration,
            Tags=list(tags),
        )
        self.expect(configuration, progress)

    def update(
        self, configuration: str, guardrails: Json, keep_count: bool, progress: Progress
    ) -> None:
        """Switch to another configuration, and wait until AWS has kept it or rolled it back.

        Args:
            keep_count: With as many instances as the autoscaling has made of it by now.
        """
        extra: Json = {"DeploymentConfig": guardrails} if guardrails else {}
        if keep_count:
            # Keep the autoscaler's instance count, but not the old weights and data capture.
            others = ("DesiredWeight", "DataCaptureConfig")
            excluded = [{"VariantPropertyType": kind} for kind in others]
            extra["RetainAllVariantProperties"] = True
            extra["ExcludeRetainedVariantProperties"] = excluded
        self._cloud.call(
            "sagemaker",
            "update_endpoint",
            f"update the endpoint {self.name}",
            EndpointName=self.name,
            EndpointConfigName=configuration,
            **extra,
        )
        self.expect(configuration, progress)

    def weigh(self, weights: Mapping[str, float], progress: Progress) -> None:
        """Set new traffic weights, which starts no instance."""
        wanted = [{"VariantName": name, "DesiredWeight": part} for name, part in weights.items()]
        self._cloud.call(
            "sagemaker",
            "update_endpoint_weights_and_capacities",
            f"divide the requests of {self.name}",
            EndpointName=self.name,
            DesiredWeightsAndCapacities=wanted,
        )
        self.settled(progress)

    def expect(self, configuration: str, progress: Progress) -> None:
        """Wait, and see that a configuration serves.

        Raises:
            TargetError: when it does not, with AWS's reason.
        """
        found = self.settled(progress)
        if found is None:
            raise TargetError(f"The endpoint {self.name} was deleted meanwhile.")
        state = found["EndpointStatus"]
        reason = plain(str(found.get("FailureReason") or ""))
        if state != "InService":
            raise TargetError(
                f"The endpoint {self.name} is {state}: {reason or 'AWS gives no reason.'}",
                hint="The container's own words: studio logs --target ...",
            )
        # In service with another configuration: AWS has rolled the update back.
        if found["EndpointConfigName"] != configuration:
            raise TargetError(
                f"AWS took the release back: {reason or 'an alarm went off.'}",
                hint="The previous release is still running.",
            )

    def delete(self, progress: Progress) -> None:
        """Delete it, and wait until it is gone."""
        self.settled(progress)
        what = f"delete the endpoint {self.name}"
        self._cloud.find("sagemaker", "delete_endpoint", what, EndpointName=self.name)
        self.settled(progress)

    def release_of(self, variant: Mapping[str, Any]) -> str:
        """Return the digest of a variant's release, or "" if unknown."""
        what = f"look at the model {variant['ModelName']}"
        found = self._cloud.find(
            "sagemaker", "describe_model", what, ModelName=variant["ModelName"]
        )
        return from_tags(self.tags(found["ModelArn"])).get(RELEASE, "") if found else ""

    def _pause(self, progress: Progress) -> None:
        """Sleep in small steps, so that a cancel takes effect."""
        left = self._poll_s
        while left > 0:
            progress.check()
            self._sleep(min(left, _IN_STEPS_OF_S))
            left -= _IN_STEPS_OF_S


def _stage(found: Mapping[str, Any]) -> str:
    """Return the state of the endpoint, and of its instances if AWS reports them."""
    summary = found.get("PendingDeploymentSummary") or {}
    variants = summary.get("ProductionVariants") or found.get("ProductionVariants") or ()
    words = {
        str(status["Status"])
        for variant in variants
        for status in variant.get("VariantStatus") or ()
    }
    state = str(found["EndpointStatus"])
    return f"{state} ({', '.join(sorted(words))})" if words else state
