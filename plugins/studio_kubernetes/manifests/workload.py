"""Workload of one release in a cluster: the facts and choices behind its manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.api import Parcel, Refused, UsageError
from studio_kubernetes.manifests.generation import LLM_PORT, facts_of, generation_of
from studio_kubernetes.manifests.names import (
    INSTANCE,
    MANAGED_BY,
    MANAGER,
    MODEL,
    MODEL_NAME,
    OWNER,
    RELEASE,
    RELEASE_LABEL,
    VERSION,
    as_label_value,
    short,
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WorkloadName:
    """Names of a served model: the prefix of its objects, and the namespace."""

    name: str
    namespace: str

    @property
    def selector(self) -> Json:
        """Labels of everything that serves there."""
        return {INSTANCE: self.name, MANAGED_BY: MANAGER}

    @property
    def canary(self) -> str:
        """Name of what serves the canary."""
        return f"{self.name}-canary"


APP = "app"
"""Key of the options of a release that is an app, so that a rollback finds it."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One release, and how it shall be served.

    Attributes:
        release: Digest of the bundle's manifest.
        image: A complete reference.
        options: Checked values of ``DEPLOY_OPTIONS``.
        files: Where the bundle comes in ConfigMaps: key -> path, of the bundle and the runtime.
        maps: Names of those ConfigMaps (bundle, runtime); empty where the image holds all. The
            first is empty where the bundle is in an image of its own.
    """

    place: WorkloadName
    model: str
    version: int
    release: str
    owner: str
    image: str
    options: Mapping[str, Any]
    maps: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> Json:
        """Of every object that carries this release."""
        return {
            **self.place.selector,
            MODEL: as_label_value(self.model),
            VERSION: str(self.version),
            RELEASE_LABEL: short(self.release),
        }

    @property
    def annotations(self) -> Json:
        """Facts that labels cannot hold."""
        return {RELEASE: self.release, OWNER: self.owner, MODEL_NAME: self.model}

    @property
    def has_app(self) -> bool:
        """Whether the release is an app, which runs once and keeps events."""
        return bool(self.options.get(APP))

    @property
    def generates(self) -> bool:
        """Whether the release is a language model."""
        return generation_of(self.options) is not None

    @property
    def model_image(self) -> str:
        """Reference by digest of the image with the bundle; empty where it has none of its own."""
        if self.options.get("bundle") in ("volume", "modelcar"):
            return str(self.options.get("model_image") or "")
        return ""

    @property
    def port(self) -> int:
        """At which the server listens."""
        return LLM_PORT if self.kind == "llminferenceservice" else int(self.options["port"])

    @property
    def kind(self) -> str:
        """``deployment``, ``inferenceservice`` or ``llminferenceservice``."""
        return str(self.options["kind"])

    @property
    def host(self) -> str:
        """Name and port of its Service inside the cluster."""
        name, namespace = self.place.name, self.place.namespace
        if self.kind == "llminferenceservice":
            return f"{name}-kserve-workload-svc.{namespace}:{LLM_PORT}"
        return f"{name}.{namespace}"

    @property
    def autoscaled(self) -> bool:
        """Whether the cluster sets the number of replicas."""
        return int(self.options["max_replicas"]) > int(self.options["replicas"])


def image_reference(template: str, name: str, version: int, digest: str) -> str:
    """Return the image of a release, in lower case as registries require.

    Raises:
        UsageError: for a placeholder that does not exist.
    """
    try:
        return template.format(name=name.lower(), version=version, digest=digest[:12])
    except (KeyError, IndexError, ValueError, AttributeError):
        raise UsageError(
            f"The image {template!r} has a placeholder that does not exist.",
            hint="There are {name}, {version} and {digest}.",
        ) from None


def workload_of(
    parcel: Parcel,
    options: Mapping[str, Any],
    place: WorkloadName,
    maps: tuple[str, ...] = (),
    files: Mapping[str, str] | None = None,
) -> Workload:
    """Return the workload of a parcel.

    Raises:
        Refused: when no image is named.
    """
    template = str(options.get("image") or "")
    if not template:
        raise Refused(
            "Missing image for the cluster.",
            hint="Push one with the image packager and give --set "
            "image=REGISTRY/{name}:{version}; or, for a bundle below 1 MiB, an image with "
            "Python, numpy and onnxruntime and --set bundle=configmap.",
        )
    return Workload(
        place,
        parcel.name,
        parcel.version,
        parcel.digest,
        parcel.owner,
        image_reference(template, parcel.name, parcel.version, parcel.digest),
        {
            **{key: value for key, value in options.items() if key != "canary"},
            **({APP: True} if parcel.manifest.get("app") else {}),
            **facts_of(parcel),
        },
        maps,
        dict(files or {}),
    )
