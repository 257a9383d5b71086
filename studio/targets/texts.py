"""Lines for people about a target."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import TargetFacts
from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class _Account:
    """The account on a platform; empty for a machine."""

    os: str = ""
    who: str = ""
    where: str = ""


def facts(document: Mapping[str, object]) -> list[str]:
    """Return the facts of a machine or of a platform."""
    account, machine = from_json(_Account, document), from_json(TargetFacts, document)
    head = f"{machine.name}  {machine.url}"
    if account.who:
        return [head, f"{account.os}: {account.where}, as {account.who}"]
    return [
        head,
        f"{machine.os}, {machine.arch}, Python {machine.python or 'missing'}",
        f"{machine.memory_mb:,} MB memory, {machine.disk_free_mb:,} MB disk free",
        f"runtimes: {_versions(machine.runtimes) or 'none yet'}",
        *_more(machine),
    ]


def _more(machine: TargetFacts) -> list[str]:
    """Return the facts that not every target has."""
    heat = machine.temperature_c
    pairs = (
        ("kind", machine.board_id),
        ("board", ", ".join(filter(None, (machine.board, machine.image)))),
        ("processor", ", ".join(filter(None, (machine.cpu, *machine.features)))),
        ("accelerators", ", ".join(machine.accelerators)),
        ("libraries", _versions(machine.libraries)),
        ("cameras", ", ".join(machine.cameras)),
        ("power", machine.power_mode),
        ("temperature", f"{heat:.0f} °C" if heat else ""),
        ("warning", "; ".join(machine.notes)),
    )
    return [f"{name}: {text}" for name, text in pairs if text]


def _versions(known: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in known.items())
