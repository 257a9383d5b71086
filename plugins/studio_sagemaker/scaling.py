"""Autoscaling of the main variant, and the alarms that take an update back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studio_sagemaker.cloud import Cloud
from studio_sagemaker.desired_state import Json
from studio_sagemaker.names import (
    MAIN_VARIANT,
    MAXIMUM,
    OWNER,
    SCALE_AT,
    TARGET,
    EndpointNames,
    as_tags,
)

_SCALED = "sagemaker:variant:DesiredInstanceCount"
_METRICS = "AWS/SageMaker"
_AUTOSCALING = "application-autoscaling"


class Scaling:
    """The scalable target of an endpoint and its policy."""

    def __init__(self, cloud: Cloud, place: EndpointNames) -> None:
        self._cloud = cloud
        self._place = place
        self._scalable = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": self.resource,
            "ScalableDimension": _SCALED,
        }

    @property
    def resource(self) -> str:
        """Resource ID of the scaled variant."""
        return f"endpoint/{self._place.endpoint}/variant/{MAIN_VARIANT}"

    def find(self) -> Json | None:
        """Return the scalable target, or None if it does not exist."""
        pages = self._cloud.pages(
            _AUTOSCALING,
            "describe_scalable_targets",
            "ScalableTargets",
            "look at the autoscaling",
            ServiceNamespace="sagemaker",
            ResourceIds=[self.resource],
        )
        found: Json | None = next(iter(pages), None)
        return found

    def apply(self, tags: Mapping[str, str], instances: int) -> None:
        """Scale as a configuration's tags say, or not at all.

        Args:
            instances: The fewest.
        """
        if MAXIMUM not in tags:
            self.remove()
            return
        what = "set up the autoscaling"
        # A maximum below the minimum would be refused.
        most = max(int(tags[MAXIMUM]), instances)
        self._cloud.call(
            _AUTOSCALING,
            "register_scalable_target",
            what,
            **self._scalable,
            MinCapacity=instances,
            MaxCapacity=most,
        )
        self._cloud.call(
            _AUTOSCALING,
            "put_scaling_policy",
            what,
            **self._scalable,
            PolicyName=f"edgewright-{self._place.endpoint}",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": float(tags.get(SCALE_AT) or 600),
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                },
            },
        )

    def remove(self) -> None:
        """Scale no more; its policy and their alarms go along."""
        if self.find() is not None:
            what = "end the autoscaling"
            self._cloud.find(_AUTOSCALING, "deregister_scalable_target", what, **self._scalable)


class Alarms:
    """Alarms of an endpoint, named by it."""

    def __init__(self, cloud: Cloud, place: EndpointNames) -> None:
        self._cloud = cloud
        self._place = place

    def requests(self, options: Mapping[str, Any]) -> list[Json]:
        """Return the requests of PutMetricAlarm."""
        found = []
        if limit := int(options["alarm_errors"]):
            name = self._place.alarm("errors")
            found.append(self._alarm(name, "Invocation5XXErrors", limit, {"Statistic": "Sum"}))
        if limit := int(options["alarm_latency_ms"]):
            name = self._place.alarm("latency")
            microseconds = limit * 1000
            statistic = {"ExtendedStatistic": "p90"}
            found.append(self._alarm(name, "ModelLatency", microseconds, statistic))
        return found

    def put(self, options: Mapping[str, Any], owner: str) -> list[str]:
        """Make them, and give their names."""
        tags = as_tags({TARGET: self._place.endpoint, OWNER: owner})
        names = []
        for alarm in self.requests(options):
            what = f"make the alarm {alarm['AlarmName']}"
            self._cloud.call("cloudwatch", "put_metric_alarm", what, **alarm, Tags=tags)
            names.append(str(alarm["AlarmName"]))
        return names

    def names(self) -> Iterator[str]:
        """Return the names of the existing alarms."""
        pages = self._cloud.pages(
            "cloudwatch",
            "describe_alarms",
            "MetricAlarms",
            "list alarms",
            AlarmNames=[self._place.alarm("errors"), self._place.alarm("latency")],
        )
        return (str(alarm["AlarmName"]) for alarm in pages)

    def remove(self) -> None:
        """Delete them."""
        if names := list(self.names()):
            self._cloud.call("cloudwatch", "delete_alarms", "delete alarms", AlarmNames=names)

    def _alarm(self, name: str, metric: str, limit: float, statistic: Json) -> Json:
        return {
            "AlarmName": name,
            "AlarmDescription": "Takes an update of the endpoint back.",
            "Namespace": _METRICS,
            "MetricName": metric,
            "Dimensions": [
                {"Name": "EndpointName", "Value": self._place.endpoint},
                {"Name": "VariantName", "Value": MAIN_VARIANT},
            ],
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": float(limit),
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            **statistic,
        }
