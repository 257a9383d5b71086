"""The kinds of targets: what they are called, how they are grouped, which targets are of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from studio.api import Capability, TargetSpec
from studio.gui.pages.shared import target_rows
from studio.lazy_dataclass import dataclass

DEVICES, CONTAINERS, CLOUDS, OTHERS = "devices", "containers", "clouds", "others"
GROUPS = {
    DEVICES: "Devices",
    CONTAINERS: "Containers and clusters",
    CLOUDS: "Managed clouds",
    OTHERS: "Other targets",
}
ICONS = {DEVICES: "board", CONTAINERS: "container", CLOUDS: "cloud", OTHERS: "targets"}


@dataclass(frozen=True, slots=True)
class TargetKind:
    """One kind of target.

    Attributes:
        id: Of the capability that connects to them.
        summary: What can be deployed to, in a few words.
        group: Key of ``GROUPS``.
        plugin: The plugin that brings it; empty for a built-in kind.
        addable: Whether the window can add targets of it.
        reason: Why its plugin cannot be used; empty where it can.
    """

    id: str
    title: str
    summary: str
    group: str
    schemes: tuple[str, ...]
    plugin: str = ""
    addable: bool = True
    reason: str = ""

    @property
    def icon(self) -> str:
        """Name of its icon."""
        return "computer" if self.id == target_rows.LOCAL else ICONS[self.group]

    def has(self, target: TargetSpec) -> bool:
        """Return whether a target is of this kind."""
        return scheme_of(target) in self.schemes


LOCAL = TargetKind(
    target_rows.LOCAL,
    "This computer",
    "A service on this computer.",
    DEVICES,
    ("local",),
    addable=False,
)


def scheme_of(target: TargetSpec) -> str:
    """Return the scheme of a target's address."""
    return target.url.partition(":")[0]


def kinds(
    capabilities: Iterable[Capability], reasons: Mapping[str, str] | None = None
) -> list[TargetKind]:
    """Return the kinds of targets: this computer, those with a sheet, then all others.

    Args:
        capabilities: Of plugins; sheets first, as they describe a kind best.
        reasons: Why a plugin cannot be used, by its id.
    """
    found, taken = [LOCAL], set(LOCAL.schemes)
    for one in capabilities:
        schemes = tuple(scheme for scheme in one.schemes if scheme not in taken)
        if not schemes:
            continue
        group = str(one.extra.get("group", OTHERS))
        summary = str(one.extra.get("summary", ""))
        group = group if group in GROUPS else OTHERS
        reason = (reasons or {}).get(one.plugin, "")
        found.append(
            TargetKind(one.id, one.title, summary, group, schemes, one.plugin, reason=reason)
        )
        taken.update(schemes)
    return found


def kind_of(target: TargetSpec, known: Sequence[TargetKind]) -> TargetKind:
    """Return the kind of a target; of one that no plugin answers for, a kind of its own."""
    scheme = scheme_of(target)
    unknown = TargetKind(scheme, scheme, "", OTHERS, (scheme,), addable=False)
    return next((kind for kind in known if kind.has(target)), unknown)
