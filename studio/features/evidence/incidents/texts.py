"""Lines of the command line about incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.documents.text_table import counted, table
from studio.features.evidence.incidents.kinds import UNDECIDED, incident_rules
from studio.features.evidence.incidents.results import IncidentExport, IncidentResult, IncidentState

NO_RELEASE = "The registry has no release of this model on a target at that time."
COUNSEL = "The kind is a person's decision: ask counsel about it."


def added(result: IncidentResult) -> list[str]:
    """Return the incident after an entry was added."""
    one = result.incident
    lines = [f"{result.model}: incident {one.number}, {one.title}. {one.clock.text}"]
    if len(one.entries) == 1:
        lines += served(one)
    if one.kind == UNDECIDED:
        lines.append(COUNSEL)
    return lines


def exported(result: IncidentExport) -> list[str]:
    """Return where the folder is, with the digest of each file."""
    rows = [f"{one.hash}  {one.name}" for one in result.files]
    head = f"Incident {result.number} of {result.model} is in {result.output}."
    return [head, *rows, "Check: sha256sum --check SHA256SUMS"]


def listed(incidents: Mapping[str, Sequence[IncidentState]]) -> list[str]:
    """Return a row for each incident of some models."""
    rows = [
        (model, str(one.number), one.state, one.kind, one.happened[:16], one.title, one.clock.text)
        for model, found in incidents.items()
        for one in found
    ]
    if not rows:
        return ["No incidents. Open one with: studio incidents open MODEL"]
    return table(("model", "no", "state", "kind", "happened", "title", "clock"), rows)


def shown(model: str, one: IncidentState) -> list[str]:
    """Return an incident with its entries."""
    rules = incident_rules()
    rows = [(entry.at[:19], entry.what, entry.by, entry.text) for entry in one.entries]
    return [
        f"{model}: incident {one.number}, {one.title} ({one.state})",
        f"Kind: {one.kind_title}. Happened {one.happened}, aware since {one.aware} (UTC).",
        one.clock.text,
        *served(one),
        "",
        *table(("at (UTC)", "entry", "by", "text"), rows),
        "",
        f"{rules.source}, data of {rules.as_of}. {rules.counsel}",
    ]


def served(one: IncidentState) -> list[str]:
    """Return what served when the incident happened."""
    if not one.served:
        return [NO_RELEASE]
    rows = [
        (each.target, each.version, each.digest[:12], each.since[:19], each.until[:19] or "still")
        for each in one.served
    ]
    found = table(("target", "version", "digest", "since (UTC)", "until (UTC)"), rows)
    return [f"Served then: {counted(len(one.served), 'release')}.", *found]
