"""Names, keys and tags of the studio's AWS resources, derived from target and release."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TARGET = "edgewright:target"
RELEASE = "edgewright:release"
MODEL = "edgewright:model"
VERSION = "edgewright:version"
OWNER = "edgewright:owner"
AT = "edgewright:at"
STATE = "edgewright:state"
REASON = "edgewright:reason"
CANARY = "edgewright:canary"
ROLE = "edgewright:role"
MAXIMUM = "edgewright:max-instances"
SCALE_AT = "edgewright:scale-at"

MAIN_VARIANT = "main"
"""Guardrails want the variant to keep its name from one configuration to the next."""

CANARY_VARIANT = "canary"

LONGEST = 63 - 11
"""Longest endpoint name: models and configurations append a dash and ten digits."""

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_FORBIDDEN = re.compile(r"[^\w\s.:/=+\-@]")
_TAG_LENGTH = 256


@dataclass(frozen=True, slots=True)
class EndpointNames:
    """Resource names of one served model.

    Attributes:
        endpoint: Name of the endpoint, from which all other names are made.
    """

    region: str
    endpoint: str

    @property
    def prefix(self) -> str:
        """Of the keys in the bucket."""
        return f"edgewright/{self.endpoint}/"

    @property
    def log_group(self) -> str:
        """Log group in which SageMaker writes the containers' logs."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    def alarm(self, what: str) -> str:
        """Name of an alarm."""
        return f"edgewright-{self.endpoint}-{what}"

    def data_key(self, release: str) -> str:
        """Return the key of a release's ``model.tar.gz``; its digest names a release."""
        return f"{self.prefix}releases/{release}/model.tar.gz"

    def named(self, request: Mapping[str, Any]) -> str:
        """Return a name derived from a request, so that a repeat finds the same resource."""
        text = json.dumps(request, sort_keys=True)
        return f"{self.endpoint}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def is_endpoint_name(name: str) -> bool:
    """Return whether SageMaker allows the name, with room for what is appended."""
    return bool(_NAME.fullmatch(name)) and len(name) <= LONGEST


def suggest(text: str) -> str:
    """Return an allowed name similar to the given one."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", text).strip("-")[:LONGEST].rstrip("-")
    return name or "model"


def tag_text(text: str) -> str:
    """Return a text in the characters of an AWS tag."""
    return " ".join(_FORBIDDEN.sub(" ", text).split())[:_TAG_LENGTH]


def as_tags(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in AWS's form, without empty ones."""
    return [{"Key": key, "Value": tag_text(text)} for key, text in values.items() if text]


def from_tags(tags: Any) -> dict[str, str]:
    """Return tags as a mapping."""
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags or ()}
