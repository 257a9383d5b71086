"""Names, keys and tags of what the studio makes at AWS, all told by the target and the release."""

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
"""Of an endpoint's name: models and configurations append a dash and ten digits to it."""

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_FORBIDDEN = re.compile(r"[^\w\s.:/=+\-@]")
_TAG_LENGTH = 256


@dataclass(frozen=True, slots=True)
class EndpointNames:
    """Where one model is served.

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
        """Where SageMaker writes what the containers log."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    def alarm(self, what: str) -> str:
        """Name of an alarm."""
        return f"edgewright-{self.endpoint}-{what}"

    def data_key(self, release: str) -> str:
        """Key of a release's ``model.tar.gz``; a release is named by its content."""
        return f"{self.prefix}releases/{release}/model.tar.gz"

    def named(self, request: Mapping[str, Any]) -> str:
        """A name told by what a request asks for: the same request finds what it made before."""
        text = json.dumps(request, sort_keys=True)
        return f"{self.endpoint}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def is_endpoint_name(name: str) -> bool:
    """Whether SageMaker allows the name, with room for what is appended."""
    return bool(_NAME.fullmatch(name)) and len(name) <= LONGEST


def suggest(text: str) -> str:
    """A name that is allowed, like the one that was given."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", text).strip("-")[:LONGEST].rstrip("-")
    return name or "model"


def tag_text(text: str) -> str:
    """A text as AWS takes it for a tag."""
    return " ".join(_FORBIDDEN.sub(" ", text).split())[:_TAG_LENGTH]


def as_tags(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in AWS's form; empty ones are left out."""
    return [{"Key": key, "Value": tag_text(text)} for key, text in values.items() if text]


def from_tags(tags: Any) -> dict[str, str]:
    """Tags as a mapping."""
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags or ()}
