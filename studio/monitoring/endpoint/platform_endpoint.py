"""The endpoint of a platform that accepts requests only through its own calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import Site, TargetError
from studio.documents.dataclass_json import JsonValue, from_json
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.datatypes import NAMES
from studio.monitoring.endpoint.status import ServerReport
from studio.monitoring.released_bundles import KnownBundles

_HEAD_LENGTH = "Inference-Header-Content-Length"
_MANIFEST = "manifest.json"


class NoConnection:
    """A placeholder for a connection, as the platform keeps its own."""

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """An answer with the interface of an HTTP answer."""

    content: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> bytes:
        """Return the whole body."""
        return self.content

    def getheader(self, name: str, default: str, /) -> str:
        """Return a header."""
        return self.headers.get(name, default)


@dataclass(frozen=True, slots=True)
class _Tensor:
    """An input or output of the model, as the bundle describes it."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Model:
    """The model of a bundle."""

    inputs: tuple[_Tensor, ...]
    outputs: tuple[_Tensor, ...]


@dataclass(frozen=True, slots=True)
class _Manifest:
    """The part of a bundle's manifest that describes its model."""

    model: _Model


class PlatformEndpoint:
    """An endpoint that describes the model from its bundle, and sends requests to the platform.

    Attributes:
        report: The known fields of the release: ``digest``, ``name``, ``version``.
    """

    def __init__(self, site: Site, report: ServerReport, model: _Model) -> None:
        self.report = report
        self._site = site
        self._model = model
        self._lock = threading.Lock()  # a site is not thread-safe

    @classmethod
    def of(cls, site: Site, target: str, known: KnownBundles) -> PlatformEndpoint:
        """Return the endpoint of the current release.

        Args:
            known: Folders of bundles by release, from the registry.

        Raises:
            TargetError: when there is no release, or its bundle is not on this computer.
        """
        serving = next((one for one in site.releases() if one.state == "serving"), None)
        if serving is None:
            raise TargetError(
                f"{target} has no running release.",
                hint="Deploy a model first: studio deploy MODEL --target NAME",
            )
        folder = (known.get(serving.release) or {}).get("bundle")
        try:
            content = json.loads((Path(str(folder)) / _MANIFEST).read_bytes())
            manifest = from_json(_Manifest, content)
        except (OSError, ValueError):
            raise TargetError(
                f"The bundle on {target} is not stored on this computer, so its inputs are "
                "unknown.",
                hint="Deploy it from this studio, or send requests with the platform's own tools.",
            ) from None
        report = ServerReport(name=serving.name, version=serving.version, digest=serving.release)
        return cls(site, report, manifest.model)

    def connect(self, timeout: float) -> NoConnection:
        """Return a placeholder: the site is connected already."""
        return NoConnection()

    def request(
        self,
        connection: object,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> PlatformAnswer:
        """Answer a request of the protocol.

        Raises:
            TargetError: when the platform refuses it.
        """
        if path == "/v2/repository/index":
            return _document([{"name": self.report.name}])
        if not path.endswith("/infer"):
            return _document(self._metadata())
        length = int((headers or {}).get(_HEAD_LENGTH, "0"))
        with self._lock:
            content, head = self._site.infer(body or b"", length)
        return PlatformAnswer(content, 200, {_HEAD_LENGTH: str(head)} if head else {})

    def _metadata(self) -> dict[str, JsonValue]:
        return {
            "name": self.report.name,
            "versions": [str(self.report.version)],
            "inputs": [_tensor(tensor) for tensor in self._model.inputs],
            "outputs": [_tensor(tensor) for tensor in self._model.outputs],
        }


def _tensor(tensor: _Tensor) -> dict[str, JsonValue]:
    sizes = [size if isinstance(size, int) else -1 for size in tensor.shape or ()]
    return {"name": tensor.name, "datatype": NAMES[tensor.dtype], "shape": sizes}


def _document(value: JsonValue) -> PlatformAnswer:
    return PlatformAnswer(json.dumps(value).encode())
