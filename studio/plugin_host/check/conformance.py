"""The conformance suites, as far as they need no target and no data of the author's."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import (
    Capability,
    Extension,
    Finding,
    Level,
    Manifest,
    Session,
    StudioError,
    Toolchain,
    Unavailable,
)
from studio.api.plugin import PANEL_AREAS
from studio.api.testing import check_backend, check_metric, check_refusals, check_transform
from studio.api.testing_declarations import (
    check_analyzer,
    check_declaration,
    check_rule,
    check_sheet,
)
from studio.plugin_host.plugin_import import make_importable
from studio.settings import resource

log = logging.getLogger(__name__)

Suite = Callable[[Capability, Any, Path], object]


def check_capabilities(package: Path, manifest: Manifest, scratch: Path) -> Iterator[Finding]:
    """Make each capability and let it go through what can be tried here.

    Args:
        scratch: An empty folder.
    """
    make_importable(manifest.id, package)
    for number, capability in enumerate(manifest.capabilities):
        folder = scratch / str(number)
        folder.mkdir()
        name = f"{capability.extension.value}/{capability.id}"
        try:
            for suite in _suites(capability):
                suite(capability, folder)
        except AssertionError as error:
            yield Finding(Level.ERROR, "conformance", f"{name}: {error}.".replace("..", "."))
        except Unavailable as error:
            yield Finding(Level.WARNING, "unavailable", f"{name}: {error.message}")
        except StudioError as error:
            yield Finding(Level.ERROR, "conformance", f"{name}: {error.message}")
        except Exception as error:  # the author's code may raise anything
            log.debug("conformance suite failed", exc_info=True, extra={"capability": name})
            text = f"{name}: {type(error).__name__}: {error}".rstrip(".")
            yield Finding(Level.ERROR, "failure", f"{text}.")


def _suites(capability: Capability) -> list[Callable[[Capability, Path], object]]:
    if capability.extension is Extension.PANEL:
        return [_panel]
    if capability.extension is Extension.SHEET:
        return [_sheet]
    return [_declared]


def _declared(capability: Capability, folder: Path) -> None:
    """Check the declaration of a capability, then its behaviour."""
    made = _attribute(capability)(*_toolchain(capability))
    check_declaration(capability.extension, made, capability.id, capability.extra)
    suite = _SUITES.get(capability.extension)
    if suite is not None:
        suite(capability, made, folder)


def _toolchain(capability: Capability) -> tuple[Toolchain, ...]:
    """Return the factory's toolchain argument: one whose environment is not installed."""
    return (_Absent(),) if capability.has_environment else ()


class _Absent:
    """A toolchain without an environment, as the check installs none."""

    @property
    def python(self) -> Path:
        raise Unavailable("its environment is not installed, so it was not run.")

    def version(self, distribution: str) -> str:
        raise Unavailable("its environment is not installed, so it was not run.")

    def run(self, *arguments: object) -> Mapping[str, Any]:
        raise Unavailable("its environment is not installed, so it was not run.")

    def load(self, *arguments: object) -> Session:
        raise Unavailable("its environment is not installed, so it was not run.")


def _panel(capability: Capability, folder: Path) -> None:
    # By name: only panels may import Qt, and this module is of the studio's Qt-free part.
    suite = importlib.import_module("studio.api.testing_panels")
    known = ", ".join(sorted(PANEL_AREAS))
    assert capability.area in PANEL_AREAS, f"its area is none of {known}"
    suite.check_panel(_attribute(capability))


def _sheet(capability: Capability, folder: Path) -> None:
    check_sheet(_attribute(capability)(), capability.extra)


def _attribute(capability: Capability) -> Any:
    module, _, name = capability.factory.partition(":")
    return getattr(importlib.import_module(module), name)


def _format(capability: Capability, made: Any, folder: Path) -> None:
    check_refusals(made, folder)


def _backend(capability: Capability, made: Any, folder: Path) -> None:
    made.version()
    assert made.runner.is_file(), f"the runner {made.runner} is not there"
    if "onnx" in capability.formats:
        import numpy

        feeds = {"image": numpy.zeros((1, 1, 8, 8), numpy.float32)}
        check_backend(made, _digits(), feeds)


def _text_backend(capability: Capability, made: Any, folder: Path) -> None:
    from studio.runtime.generate.catalog import TEXT_BACKENDS

    known = TEXT_BACKENDS.get(capability.id)
    assert known is not None, f"its id is not one of {', '.join(TEXT_BACKENDS)}"
    wanted = f"its distribution is {made.distribution!r}, not {known.distribution!r}"
    assert made.distribution == known.distribution, wanted
    assert capability.has_environment, "the manifest lacks environment = true"
    assert capability.formats, "the manifest names no formats"
    made.version()


def _transform(capability: Capability, made: Any, folder: Path) -> None:
    # An edit keeps the precision and names none; what must be given cannot be guessed.
    given = made.needs_data or any(option.required for option in made.options)
    edits = capability.edits
    if "onnx" in capability.formats and not given and not edits:
        check_transform(made, _digits(), folder / "made.onnx")


def _metric(capability: Capability, made: Any, folder: Path) -> None:
    if capability.extra.get("labels") == "class":
        import numpy

        # Each class occurs, as some metrics cannot do without; one sample is taken for another.
        found, labels = [0, 1, 2, 3, 3], [0, 1, 2, 3, 2]
        scores = [{"scores": numpy.eye(4, dtype=numpy.float32)[[n]]} for n in found]
        check_metric(made, scores, labels)


def _digits() -> Path:
    return resource("samples", "digits", "digits.onnx")


_SUITES: dict[Extension, Suite] = {
    Extension.FORMAT: _format,
    Extension.BACKEND: _backend,
    Extension.TEXT_BACKEND: _text_backend,
    Extension.TRANSFORM: _transform,
    Extension.METRIC: _metric,
    Extension.ANALYZER: lambda capability, made, folder: check_analyzer(made),
    Extension.CHECK: lambda capability, made, folder: check_rule(made),
}
