"""``studio releases``: what was released on a target."""

from __future__ import annotations

import argparse

from studio.api import PlatformRelease
from studio.cli.flags import option_values
from studio.cli.output import fail_job, print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.deployment.results import MachineRelease, ReleasesResult
from studio.documents.dataclass_json import to_json
from studio.documents.text_table import table
from studio.lazy_dataclass import dataclass
from studio.registry import Registry, ReleaseRecord


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "releases")
    parser.add_argument(
        "--everywhere",
        action="store_true",
        help="show the changes that this computer made on all targets: models, times and authors",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the releases of a target, or of all from the registry, and print them."""
    with workspace() as opened:
        if arguments.everywhere:
            return _everywhere(opened.registry, arguments)
        outcome = opened.run("releases", **option_values(arguments, opened.steps["releases"].form))
    if not outcome.ok:
        return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
    result: ReleasesResult = outcome.result
    if arguments.json:
        print_json(to_json(result.releases))
    elif result.releases:
        names = ("version", "state", "at", "release", "reason")
        print_lines(table(names, [_row(row) for row in result.releases]))
        print_lines(_serving(result))
    else:
        print_lines(["No releases on this target yet."])
    return 0


def _serving(result: ReleasesResult) -> list[str]:
    """Return where the current release answers, or why it does not."""
    if result.state == "serving" and result.endpoint:
        return [f"Endpoint: {result.endpoint}"]
    return [result.text] if result.text else []


@dataclass(frozen=True, slots=True)
class _Change:
    """A change on a target, by this studio's own record."""

    target: str
    name: str
    version: int | None
    release: str
    state: str
    at: str
    by: str
    reason: str

    @classmethod
    def of(cls, one: ReleaseRecord) -> _Change:
        facts = one.facts
        name, by, reason = facts.name or "", facts.by or "", facts.reason or ""
        return cls(one.target, name, facts.version, one.digest, one.state, one.created, by, reason)

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns of the table."""
        version = str(self.version or "")
        return (self.at, self.target, self.name, version, self.state, self.by, self.reason)


def _everywhere(registry: Registry, arguments: argparse.Namespace) -> int:
    rows = [
        _Change.of(one) for one in registry.releases() if arguments.target in (None, one.target)
    ]
    if arguments.json:
        print_json(to_json(rows))
    elif rows:
        names = ("at", "target", "name", "version", "state", "by", "reason")
        print_lines(table(names, [row.cells for row in rows]))
    else:
        print_lines(["No releases yet."])
    return 0


def _row(release: MachineRelease | PlatformRelease) -> tuple[str, ...]:
    version, digest = str(release.version), release.release[:12]
    return version, release.state, release.at, digest, release.reason
