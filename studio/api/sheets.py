"""How the window connects to a kind of target and configures it: the sheet of a plugin, as data.

A sheet has the same three steps for every kind of target: Connect, Configure, Review. The window
draws it and runs the steps ``target-find``, ``target-probe`` and ``deploy``. A plugin describes
the options; it draws nothing and needs no Qt. Its manifest names the sheet::

    [[sheets]]
    id = "attic"
    title = "Folder in the attic"
    summary = "A folder that another machine serves."
    group = "devices"
    schemes = ["attic"]
    factory = "example_attic.sheet:AtticSheet"
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from studio.api.options import Option
from studio.api.targets import TargetSpec

GROUPS = ("devices", "containers", "clouds")
"""The sections of the Deploy page, by the key ``group`` of the manifest; others come last."""


class DeploySheet(ABC):
    """The options in the sheet of one kind of target.

    Attributes:
        place_options: Asked in Connect for a new target, at most eight; ``spec`` takes the values.
        deploy_options: Asked in Configure. They are the platform's own, which a deployment takes
            as ``set``; empty for a target that is a machine, whose options the studio knows.
        finds: Whether the connector is a ``studio.api.discovery.Finder`` whose targets are listed.
    """

    place_options: ClassVar[Sequence[Option]] = ()
    deploy_options: ClassVar[Sequence[Option]] = ()
    finds: ClassVar[bool] = False

    @abstractmethod
    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The target that the values of ``place_options`` mean; nothing is connected to.

        Raises:
            StudioError: when it is no possible target, in a sentence.
        """


def touched(options: Sequence[Option], values: Mapping[str, Any]) -> dict[str, str]:
    """The values of a form that are not the defaults, as texts: a target's settings."""
    given = {one.name: values.get(one.name) for one in options}
    rest = {one.name: one.default for one in options}
    return {name: str(value) for name, value in given.items() if value not in (None, rest[name])}


__all__ = ["GROUPS", "DeploySheet", "touched"]
