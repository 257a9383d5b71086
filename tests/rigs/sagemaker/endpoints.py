"""Endpoints with a life of their own: minutes of Creating, failures, updates taken back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rigs.sagemaker.containers import Container, NoPing

Json = dict[str, Any]


class Refusal(Exception):
    """An answer of AWS's that is none: a code, a message, an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Endpoint:
    """What the service knows of one endpoint."""

    name: str
    arn: str
    config: str
    status: str = "Creating"
    pending: str = ""
    polls: int = 0
    reason: str = ""
    taken_back: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    served: int = 0
    rules: Json = field(default_factory=dict)
    created: float = field(default_factory=time.time)


class Endpoints:
    """The part of SageMaker that moto only pretends to have.

    Attributes:
        polls: Questions after which a change is through.
        fail_with: Reason for which the next new endpoint fails.
        take_back_with: Reason for which the next update is taken back.
        updates: The requests of UpdateEndpoint.
    """

    def __init__(self, aws: Any, folder: Path) -> None:
        self._aws = aws
        self._folder = folder
        self._count = 0
        self.known: dict[str, Endpoint] = {}
        self.polls = 2
        self.fail_with = ""
        self.take_back_with = ""
        self.updates: list[Json] = []

    def create(self, request: Json, arn: str) -> None:
        name = request["EndpointName"]
        self.known[name] = Endpoint(name, arn, request["EndpointConfigName"], polls=self.polls)

    def update(self, request: Json) -> Json:
        found = self.find(request["EndpointName"])
        if found.status != "InService":
            raise Refusal("ValidationException", "Cannot update in-progress endpoint.")
        self._check_update(found, request)
        self.updates.append(request)
        found.pending, found.status = request["EndpointConfigName"], "Updating"
        found.polls, found.reason = self.polls, ""
        found.taken_back, self.take_back_with = self.take_back_with, ""
        return {"EndpointArn": found.arn}

    def weigh(self, request: Json) -> Json:
        found = self.find(request["EndpointName"])
        if found.status != "InService":
            raise Refusal("ValidationException", "Cannot update in-progress endpoint.")
        for one in request["DesiredWeightsAndCapacities"]:
            if one["VariantName"] not in found.weights:
                raise Refusal("ValidationException", "The variant does not exist.")
            found.weights[one["VariantName"]] = one["DesiredWeight"]
        found.status, found.pending, found.polls = "Updating", "", self.polls
        return {"EndpointArn": found.arn}

    def describe(self, name: str) -> Json:
        found = self.find(name)
        if found.status not in ("InService", "Failed"):
            found.polls -= 1
            if found.polls <= 0:
                self._advance(found)
        if name not in self.known:
            return self.describe(name)
        return self._described(found)

    def delete(self, name: str) -> None:
        found = self.find(name)
        if found.status not in ("InService", "Failed"):
            raise Refusal("ValidationException", "Cannot update in-progress endpoint.")
        self._stop(found.containers)
        found.status, found.polls = "Deleting", 2

    def choose(self, name: str) -> tuple[str, Container]:
        """The variant whose turn it is, by the weights."""
        found = self.find(name)
        if not found.containers:
            raise Refusal("ValidationError", f"Endpoint {name} of account not found.")
        found.served += 1
        total = sum(found.weights.values())
        shares = {one: found.served * weight / total for one, weight in found.weights.items()}
        grown = {
            one: int(share) - int(share - found.weights[one] / total)
            for one, share in shares.items()
        }
        name = max(grown, key=lambda one: (grown[one], found.weights[one]))
        return name, found.containers[name]

    def find(self, name: str) -> Endpoint:
        if name not in self.known:
            raise Refusal("ValidationException", f'Could not find endpoint "{name}".')
        return self.known[name]

    def close(self) -> None:
        for found in self.known.values():
            self._stop(found.containers)
        self.known.clear()

    def _advance(self, found: Endpoint) -> None:
        if found.status == "Deleting":
            del self.known[found.name]
        elif found.status == "Creating":
            self._created(found)
        elif found.status == "RollingBack":
            found.status = "InService"
        elif found.pending:
            self._updated(found)
        else:
            found.status = "InService"

    def _created(self, found: Endpoint) -> None:
        reason, self.fail_with = self.fail_with, ""
        if not reason:
            reason = self._start(found, found.config)
        found.status, found.reason = ("Failed", reason) if reason else ("InService", "")

    def _updated(self, found: Endpoint) -> None:
        if found.taken_back:
            found.status, found.polls, found.reason = "RollingBack", 1, found.taken_back
        elif reason := self._start(found, found.pending):
            found.status, found.polls, found.reason = "RollingBack", 1, reason
        else:
            found.status, found.config = "InService", found.pending
        found.pending = ""

    def _start(self, found: Endpoint, config: str) -> str:
        """Replace the containers; or the reason why it could not be done."""
        variants = self._aws.configuration(config)["ProductionVariants"]
        fresh: dict[str, Container] = {}
        for variant in variants:
            self._count += 1
            folder = self._folder / str(self._count)
            container = self._aws.container(variant["ModelName"], folder)
            fresh[variant["VariantName"]] = container
            try:
                container.wait()
            except NoPing as error:
                self._aws.log(found.name, variant["VariantName"], str(error).splitlines())
                self._stop(fresh)
                return (
                    f"The primary container for production variant {variant['VariantName']} did "
                    "not pass the ping health check. Please check CloudWatch logs."
                )
        self._stop(found.containers)
        found.containers = fresh
        found.weights = {one["VariantName"]: one["InitialVariantWeight"] for one in variants}
        for name, container in fresh.items():
            self._aws.log(found.name, name, container.new_lines())
        return ""

    def _check_update(self, found: Endpoint, request: Json) -> None:
        before = self._aws.configuration(found.config)["ProductionVariants"]
        after = self._aws.configuration(request["EndpointConfigName"])["ProductionVariants"]
        rules = request.get("DeploymentConfig") or {}
        if rules and any("ServerlessConfig" in one for one in before + after):
            raise Refusal("ValidationException", "DeploymentConfig is not for serverless.")
        several = len(before) > 1 or len(after) > 1
        routing = (rules.get("BlueGreenUpdatePolicy") or {}).get("TrafficRoutingConfiguration")
        if several and (
            "RollingUpdatePolicy" in rules or (routing or {}).get("Type") in ("CANARY", "LINEAR")
        ):
            raise Refusal("ValidationException", "Not for an endpoint of several variants.")
        self._aws.check_alarms(rules)
        kinds = {one["VariantName"]: one.get("InstanceType") for one in after}
        for one in before:
            same = kinds.get(one["VariantName"], "") == one.get("InstanceType")
            if not same and self._aws.is_scaled(found.name, one["VariantName"]):
                raise Refusal(
                    "ValidationException",
                    f'The variant(s) "{one["VariantName"]}" must be deregistered as scalable '
                    "target(s) with AWS Auto Scaling before they can be removed or have their "
                    "instance type updated.",
                )

    def _described(self, found: Endpoint) -> Json:
        variants = [
            {
                "VariantName": name,
                "CurrentWeight": weight,
                "DesiredWeight": weight,
                "CurrentInstanceCount": 1,
            }
            for name, weight in found.weights.items()
        ]
        config = self._aws.configuration(found.config) if found.config else {}
        answer: Json = {
            "EndpointName": found.name,
            "EndpointArn": found.arn,
            "EndpointConfigName": found.config,
            "EndpointStatus": found.status,
            "CreationTime": found.created,
            "LastModifiedTime": found.created,
        }
        if variants:
            answer["ProductionVariants"] = variants
        if found.reason:
            answer["FailureReason"] = found.reason
        if config.get("AsyncInferenceConfig"):
            answer["AsyncInferenceConfig"] = config["AsyncInferenceConfig"]
        return answer

    def _stop(self, containers: dict[str, Container]) -> None:
        for container in containers.values():
            container.stop()
        containers.clear()
