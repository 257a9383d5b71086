"""Disruption budgets: how many targets with the same value of a label may be away at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from studio.api import UsageError
from studio.lazy_dataclass import dataclass
from studio.registry.labels import parse_labels

_LIMIT = re.compile(r"(\d{1,6})(%?)", re.ASCII)

LabelsByTarget = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class DisruptionBudget:
    """A limit for each value of a label.

    Targets without the label are one group of their own.

    Attributes:
        number: Of targets; of 100 where it is a share.
    """

    label: str
    number: int
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> DisruptionBudget:
        """Return the budget of a text such as ``site=1`` or ``site=20%``.

        Raises:
            UsageError: for another text, or a budget of none.
        """
        label, _, limit = text.partition("=")
        found = _LIMIT.fullmatch(limit)
        if found is None or not int(found[1]) or (found[2] and int(found[1]) > 100):
            raise UsageError(
                f"Not a disruption budget: {text!r}.",
                hint="Write LABEL=NUMBER or LABEL=SHARE%, such as site=1 or site=20%.",
            )
        parse_labels([f"{label}=1"])
        return cls(label, int(found[1]), bool(found[2]))

    def limit(self, size: int) -> int:
        """Return how many targets of a group may be away; at least one, or nothing would change.

        Args:
            size: Targets of the group.
        """
        return max(1, size * self.number // 100) if self.is_share else self.number


class Disruptions:
    """The targets of a rollout that are away, against the budgets.

    Args:
        labels: Of the targets of the rollout.
    """

    def __init__(
        self, budgets: Sequence[DisruptionBudget], targets: Iterable[str], labels: LabelsByTarget
    ) -> None:
        self._budgets = budgets
        self._labels = labels
        self._sizes = Counter(group for name in targets for group in self._groups(name))
        self._away: dict[str, tuple[tuple[str, str], ...]] = {}

    def admits(self, target: str) -> bool:
        """Return whether a further target may be away."""
        away = Counter(group for groups in self._away.values() for group in groups)
        limits = dict(zip(self._groups(target), self._budgets, strict=True))
        return all(away[group] < one.limit(self._sizes[group]) for group, one in limits.items())

    def begin(self, target: str) -> None:
        """Count a target as away, from its deploy on."""
        self._away[target] = self._groups(target)

    def end(self, target: str) -> None:
        """Count it as back: it serves the new release, or the previous one."""
        self._away.pop(target, None)

    def _groups(self, target: str) -> tuple[tuple[str, str], ...]:
        labels = self._labels.get(target, {})
        return tuple((one.label, labels.get(one.label, "")) for one in self._budgets)
