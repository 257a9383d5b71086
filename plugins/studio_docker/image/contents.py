"""Contents of an image and their paths: the libraries, the runtime, the bundle."""

from __future__ import annotations

import email.parser
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from studio.api import StudioError
from studio_docker.image.layers import DIRECTORY, PROGRAM, LayerFile

HOME = "opt/edgewright"
LIBRARIES = f"{HOME}/lib"
RUNTIME = f"{HOME}/edgewright.pyz"
BUNDLE = f"{HOME}/bundle"
SBOM = f"{HOME}/sbom.cdx.json"
TURNS = f"{HOME}/turns"
"""Folder that a container shares with its listener."""

APP_DATA = f"{HOME}/app-data"
"""Folder of the events of an app that are not delivered yet."""

_NOT_SERVED = re.compile(
    r"(^|/)(tests?|testing/tests|include|f2py|__pycache__)/"
    r"|\.(pyi|pyx|pxd|h|c|cpp|lib|a)$"
    r"|^onnxruntime/(transformers|tools|quantization|datasets|backend|training)/"
    r"|^ai_edge_litert/((aot|vendors|tools)/|libLiteRtWebGpu)"
    r"|^openvino/libs/(libopenvino_(intel_[gn]pu_plugin|(pytorch|tensorflow|paddle|jax|gguf)"
    r"(_lite)?_frontend)|cache\.json)"
    r"|/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$"
)
"""Parts of the libraries that a server never reads: a third of their files."""


@dataclass(frozen=True, slots=True)
class Library:
    """Python wheel in an image.

    Attributes:
        licence: From the wheel's metadata; may be empty.
    """

    path: Path
    name: str
    version: str
    licence: str

    @classmethod
    def of(cls, path: Path) -> Library:
        """Read a wheel's metadata.

        Raises:
            StudioError: when it is damaged.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                (name,) = (n for n in archive.namelist() if _METADATA.fullmatch(n))
                head = email.parser.BytesParser().parsebytes(archive.read(name), headersonly=True)
        except (OSError, ValueError, zipfile.BadZipFile):
            raise StudioError(f"The wheel {path.name} is damaged.") from None
        return cls(path, str(head["Name"]), str(head["Version"]), _licence(head))


_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")


def _licence(head: Message) -> str:
    if head["License-Expression"]:
        return str(head["License-Expression"])
    text = str(head["License"] or "").strip()
    return text if text and "\n" not in text and len(text) < 60 else ""


def libraries(wheels: Sequence[Path]) -> list[Library]:
    """Return the wheels in the order of their names."""
    return sorted(map(Library.of, wheels), key=lambda library: library.name.lower())


def library_entries(found: Sequence[Library]) -> Iterator[LayerFile]:
    """Yield the unpacked wheel files that a server needs, without byte code.

    Raises:
        StudioError: when a wheel holds a name that leads out of it.
    """
    for library in found:
        with zipfile.ZipFile(library.path) as archive:
            for member in archive.infolist():
                place = _place(member.filename)
                if member.is_dir() or not place or _NOT_SERVED.search(place):
                    continue
                if place.startswith("/") or ".." in Path(place).parts:
                    raise StudioError(f"The wheel {library.path.name} holds an unsafe name.")
                yield LayerFile(f"{LIBRARIES}/{place}", archive.read(member))


def _place(name: str) -> str:
    """Return the path of a wheel's member below site-packages, or "" to leave it out."""
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return name
    scheme, _, inner = rest.partition("/")
    return inner if scheme in ("purelib", "platlib") else ""


def runtime_entries(runtime: Path, app: bool = False) -> Iterator[LayerFile]:
    """Yield the program, the folder that it shares with a listener, and one for an app's events."""
    yield LayerFile(RUNTIME, runtime, PROGRAM)
    # An engine gives a fresh volume the mode of this folder, whatever user the server runs as.
    yield LayerFile(TURNS, None, 0o777)
    if app:
        yield LayerFile(APP_DATA, None, 0o777)


def bundle_entries(bundle: Path, sbom: bytes) -> Iterator[LayerFile]:
    """Yield the bundle unchanged, and the list of all files in the image."""
    yield LayerFile(BUNDLE, None, DIRECTORY)
    for path in sorted(bundle.rglob("*")):
        if path.is_file():
            yield LayerFile(f"{BUNDLE}/{path.relative_to(bundle).as_posix()}", path)
    yield LayerFile(SBOM, sbom)
