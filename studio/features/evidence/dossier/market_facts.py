"""Statements about the time after the market: the plan as configured, incidents, emissions."""

from __future__ import annotations

from collections.abc import Iterator

from studio.documents.text_table import counted
from studio.features.evidence.dossier.operation_facts import read_run
from studio.features.evidence.dossier.statement import Material, Statement, StatementTable, missing
from studio.features.evidence.incidents.kinds import incident_rules
from studio.features.evidence.incidents.results import OPEN, IncidentState
from studio.features.evidence.market.setup import MonitoringSetup, PlannedRule
from studio.features.evidence.results import Figure
from studio.monitoring.results import TargetSample

INCIDENTS_FILE = "records/incidents.json"
SETUP_FILE = "records/monitoring.json"
_MISSING = "missing"


def market_facts(material: Material) -> Iterator[Statement]:
    """Yield the statements that a person's answer completes: plan and incidents."""
    yield _plan(material)
    yield _incidents(material)


def _plan(material: Material) -> Statement:
    setup = material.records.setup
    rows = tuple(_plan_rows(material, setup))
    lacking = sum(row[1] == _MISSING for row in rows)
    sentence = (
        f"From what is configured on this computer: {len(rows) - lacking} of {len(rows)} parts of "
        "a plan. Who reads them, and how often, is for a person to answer."
    )
    tables = [StatementTable(("part", "state", "configured, or how"), rows, "Plan as configured")]
    if setup.rules:
        head = ("rule", "metric", "limit", "level", "targets", "notifies")
        alerts = tuple(_rule_row(one, setup) for one in setup.rules)
        tables.append(StatementTable(head, alerts, f"Alert rules of {setup.alert_file}"))
    return Statement(
        "monitoring.plan",
        note="as configured",
        paragraphs=(sentence,),
        tables=tuple(tables),
        figures=_plan_figures(material, setup),
    )


def _plan_rows(material: Material, setup: MonitoringSetup) -> Iterator[tuple[str, str, str]]:
    model = material.records.subject.model
    first = setup.targets[0] if setup.targets else "TARGET"
    command = f"studio monitor --target {first} --alerts FILE"
    yield _part("Targets", ", ".join(setup.targets), f"studio deploy {model} --target TARGET")
    rules = f"{counted(len(setup.rules), 'rule')} of {setup.alert_file}" if setup.rules else ""
    yield _part("Alert rules", rules, setup.problem or f"{command}, with [[rules]] in FILE")
    channels = "; ".join(f"{one.name}: {one.destination}" for one in setup.channels)
    yield _part("Who is notified", channels, f"{command}, with [[channels]] in FILE")
    drift = f"{counted(setup.drift_frames, 'sample')} in the version" if setup.drift_frames else ""
    yield _part("Drift reference", drift, f"studio package {model} --data DATA")
    yield _part(
        "Labels in use", _labels(material), f"studio monitor --target {first} --labels FILE"
    )
    trial = _trial(material)
    yield _part("Trial and rollback", trial, f"studio deploy {model} --target {first} --trial")
    moves = material.records.moves
    review = f"{moves[-1].alias} moved by {moves[-1].by}, {moves[-1].at[:10]}" if moves else ""
    yield _part("Review of releases", review, f"studio versions promote {model}:NUMBER")


def _part(name: str, configured: str, how: str) -> tuple[str, str, str]:
    return (name, "configured", configured) if configured else (name, _MISSING, how)


def _labels(material: Material) -> str:
    """Return how many labels arrived at the last watch; empty without any."""
    run = material.records.run("monitor")
    found = read_run(TargetSample, run)
    matched = found.labels.matched if found is not None and found.labels else None
    return f"{counted(matched, 'label')} matched on {run.at[:10]}" if run and matched else ""


def _trial(material: Material) -> str:
    """Return the last trial or soak; empty without any."""
    for one in reversed(material.records.releases):
        if one.trial is not None and one.trial.decision is not None:
            seconds = one.trial.seconds or 0
            tests = f", {counted(len(one.trial.tests), 'test')}" if one.trial.tests else ""
            text = f"{one.version} on {one.target}, {one.at[:10]}: {seconds:g} s{tests}"
            return f"{text}, {one.trial.decision}"
    return ""


def _rule_row(one: PlannedRule, setup: MonitoringSetup) -> tuple[str, ...]:
    notified = [channel.name for channel in setup.channels if one.level in channel.levels]
    places = ", ".join(notified) or "nothing"
    return one.name, one.metric, one.limit, one.level, ", ".join(one.targets), places


def _plan_figures(material: Material, setup: MonitoringSetup) -> tuple[Figure, ...]:
    counts = {
        "targets": ("Targets that serve the model", len(setup.targets)),
        "rules": ("Alert rules for these targets", len(setup.rules)),
        "channels": ("Channels of alerts", len(setup.channels)),
    }
    return tuple(
        Figure(
            f"plan.{name}",
            title,
            float(value),
            file=SETUP_FILE,
            method="number",
            arguments={"place": [name]},
            origin=material.origin(),
            section="monitoring.plan",
        )
        for name, (title, value) in counts.items()
    )


def _incidents(material: Material) -> Statement:
    found = material.records.incidents
    if not found:
        return missing("incidents", "no incident was opened: studio incidents open MODEL")
    rules = incident_rules()
    rows = tuple(map(_incident_row, found))
    head = ("no", "title", "state", "clock", "kind", "happened", "served then")
    text = f"{rules.source}, data of {rules.as_of}. {rules.checked} {rules.counsel}"
    return Statement(
        "incidents",
        note="from the file of incidents",
        paragraphs=(text,),
        tables=(StatementTable(head, rows, "Incidents", "n"),),
        figures=(
            _incident_count(material, "incidents.all", "Recorded incidents", len(found)),
            _incident_count(
                material,
                "incidents.open",
                "Open incidents",
                sum(one.state == OPEN for one in found),
                state=OPEN,
            ),
            Figure(
                "incidents.unbroken",
                "Entries with an unbroken chain",
                float(sum(len(one.entries) for one in found)),
                file=INCIDENTS_FILE,
                method="unbroken",
                origin=material.origin(),
                section="incidents",
            ),
        ),
    )


def _incident_row(one: IncidentState) -> tuple[str | int, ...]:
    served = "; ".join(f"{each.version} on {each.target}" for each in one.served)
    return (
        *(one.number, one.title, one.state, one.clock.text, one.kind_title),
        *(one.happened[:16].replace("T", " "), served or "no release"),
    )


def _incident_count(
    material: Material, identifier: str, title: str, value: int, **having: str
) -> Figure:
    return Figure(
        identifier,
        title,
        float(value),
        file=INCIDENTS_FILE,
        method="number",
        arguments={"place": [], "having": dict(having)},
        origin=material.origin(),
        section="incidents",
    )
