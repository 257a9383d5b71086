"""Statements about operation: speed, targets, trials, monitoring, logs and signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.features.evidence.dossier.decision_facts import decision_facts
from studio.features.evidence.dossier.served_periods import served_table
from studio.features.evidence.dossier.statement import Material, Statement, StatementTable, missing
from studio.features.evidence.market.grid import grams_of
from studio.features.evidence.records.records import RecordedRelease, RecordedRun
from studio.features.evidence.results import Figure
from studio.monitoring.results import TargetSample
from studio.profiling.results import ProfileResult

RELEASES_FILE = "records/releases.json"
GRID_FILE = "records/grid.json"
_ENDS = ("committed", "rolled back")
_PERCENTILES = ("p50", "p90", "p99")

FormT = TypeVar("FormT")


def operation_facts(material: Material) -> Iterator[Statement]:
    """Yield the statements about operation."""
    yield _speed(material)
    yield _targets(material)
    yield _trials(material)
    yield _monitoring(material)
    yield from decision_facts(material)
    yield _signing(material)
    yield _energy(material)


def _speed(material: Material) -> Statement:
    run = material.records.run("profile")
    found = read_run(ProfileResult, run)
    if run is None or found is None or found.mode != "latency":
        return missing("performance.latency", "not profiled: studio profile MODEL")
    rounds = f"records/{run.name}/rounds.json"
    figures: tuple[Figure, ...] = ()
    if rounds in material.files:
        figures = (
            *_latencies(material, run, found, rounds),
            *_ratios(material, run, found, rounds),
        )
    machine = f"Measured on {found.environment.cpu}, target {found.target}: "
    kept = f"{found.rounds_kept} of {found.rounds} rounds counted."
    texts = tuple(verdict.text for verdict in found.verdicts)
    return Statement(
        "performance.latency",
        note=f"measured {run.at[:10]}",
        paragraphs=(machine + kept, *texts),
        figures=figures,
    )


def _latencies(
    material: Material, run: RecordedRun, found: ProfileResult, rounds: str
) -> Iterator[Figure]:
    for row in found.runs:
        for name in _PERCENTILES:
            value = getattr(row.latency_ms, name)
            if value is not None:
                yield Figure(
                    f"speed.{row.id}.{name}",
                    f"Latency {name} of {row.id} on {row.runtime}",
                    value,
                    unit="ms",
                    count=row.samples,
                    file=rounds,
                    method="latency",
                    arguments={"run": row.id, "percentile": name},
                    origin=material.origin(run),
                    section="performance.latency",
                )


def _ratios(
    material: Material, run: RecordedRun, found: ProfileResult, rounds: str
) -> Iterator[Figure]:
    for verdict in found.verdicts:
        if verdict.ratio is not None:
            yield Figure(
                f"speed.{verdict.b}.ratio",
                f"Latency of {verdict.b} over {verdict.a}: {verdict.verdict}",
                verdict.ratio,
                verdict.low,
                verdict.high,
                count=found.rounds_kept,
                file=rounds,
                method="verdict",
                arguments={"a": verdict.a, "b": verdict.b, "value": "ratio"},
                origin=material.origin(run),
                section="performance.latency",
            )


def _targets(material: Material) -> Statement:
    releases = material.records.releases
    if not releases:
        return missing("deployment.targets", "not deployed: studio deploy MODEL --target TARGET")
    rows = tuple(
        (one.at[:19], one.target, one.version, one.state, one.by, one.digest[:12])
        for one in releases
    )
    head = ("at (UTC)", "target", "version", "state", "by", "digest")
    figure = _count(material, "deployment.changes", "Changes of releases", len(releases))
    names = ", ".join(sorted({one.target for one in releases}))
    return Statement(
        "deployment.targets",
        note="from the registry",
        paragraphs=(f"Released on: {names}.",),
        tables=(StatementTable(head, rows, "Releases"), served_table(releases)),
        figures=(figure,),
    )


def _trials(material: Material) -> Statement:
    every = [one for one in material.records.releases if one.was_on_trial]
    if not every:
        return missing("deployment.trials", "no release was on trial: studio deploy --soak")
    figures = tuple(
        _count(
            material,
            f"deployment.trials.{state.replace(' ', '-')}",
            f"Releases {state} after a trial",
            sum(one.state == state for one in every),
            state=state,
            was_on_trial=True,
        )
        for state in _ENDS
    )
    head = ("at (UTC)", "target", "version", "state", "decision")
    rows = tuple(map(_trial, every))
    return Statement(
        "deployment.trials",
        note="from the registry",
        tables=(StatementTable(head, rows, "Trials"),),
        figures=figures,
    )


def _count(
    material: Material, identifier: str, title: str, value: int, **having: str | bool
) -> Figure:
    return Figure(
        identifier,
        title,
        float(value),
        file=RELEASES_FILE,
        method="number",
        arguments={"place": [], "having": dict(having)},
        origin=material.origin(),
        section=identifier.rpartition(".")[0] if having else "deployment.targets",
    )


def _trial(release: RecordedRelease) -> tuple[str, ...]:
    decision = (release.trial and release.trial.decision) or ""
    tests = "; ".join(one.says for one in release.trial.tests) if release.trial else ""
    why = " ".join(filter(None, (f"{decision}.", release.reason or tests)))
    return release.at[:19], release.target, release.version, release.state, why


def _monitoring(material: Material) -> Statement:
    run = material.records.run("monitor")
    found = read_run(TargetSample, run)
    if run is None or found is None:
        return missing("monitoring.records", "not monitored: studio monitor TARGET")
    rows = tuple((one.name, one.statistic, one.limit) for one in found.drift)
    sentence = (
        f"On {run.at[:19]} UTC, {found.target} was {found.health} after {found.requests or 0} "
        f"requests with {found.errors or 0} errors."
    )
    counts = {"requests": found.requests, "errors": found.errors}
    figures = tuple(
        Figure(
            f"monitoring.{name}",
            f"{name.capitalize()} at {found.target}",
            float(value),
            file=f"records/{run.name}.json",
            method="field",
            arguments={"place": ["result", name]},
            origin=material.origin(run),
            section="monitoring.records",
        )
        for name, value in counts.items()
        if value is not None
    )
    table = StatementTable(("statistic of drift", "value", "limit"), rows, "Drift", " nn")
    return Statement(
        "monitoring.records",
        note=f"seen {run.at[:10]}",
        paragraphs=(sentence,),
        tables=(table,) if rows else (),
        figures=figures,
    )


def _signing(material: Material) -> Statement:
    records = material.records
    if records.lineage is None:
        return missing("security.signing", "not packaged: studio package MODEL --sign KEY")
    if not records.signed:
        return missing("security.signing", "the bundle is not signed: studio sign BUNDLE --key KEY")
    sentence = (
        f"The manifest {records.subject.bundle} of the bundle, which lists every file with its "
        "SHA-256, has an SSH signature in the bundle."
    )
    return Statement("security.signing", note="from the bundle", paragraphs=(sentence,))


def _energy(material: Material) -> Statement:
    run = material.records.run("profile")
    found = read_run(ProfileResult, run)
    figures = tuple(_energies(material, run, found)) if run is not None and found else ()
    if not figures or run is None:
        return missing("energy", "not measured: studio profile MODEL --energy, with a sensor")
    emissions = tuple(_emissions(material, figures))
    is_lacking = material.records.grid is not None and len(emissions) < len(figures)
    texts = (_NOT_ABOVE,) if is_lacking else ()
    return Statement(
        "energy",
        note=f"measured {run.at[:10]}",
        paragraphs=(_grid_text(material), *texts),
        figures=(*figures, *emissions),
    )


_NOT_ABOVE = "No carbon dioxide is computed of an energy that is not above rest."


def _grid_text(material: Material) -> str:
    """Return the factor of the grid with its source, or how one is chosen."""
    grid = material.records.grid
    if grid is None:
        return (
            "Carbon dioxide is missing, as no grid was chosen: studio evidence MODEL --grid ID, or "
            "--grid-factor GRAMS --grid-source TEXT."
        )
    parts = [f"{grid.title}: {grid.grams_per_kwh:g} g of CO2 a kWh", grid.covers, grid.source]
    return f"{'. '.join(one.rstrip('.') for one in parts if one)}. {grid.checked}".rstrip()


def _emissions(material: Material, energies: tuple[Figure, ...]) -> Iterator[Figure]:
    """Yield the emissions of a million inferences, each from an energy above rest."""
    grid = material.records.grid
    if grid is None:
        return
    for one in energies:
        if one.value <= 0:
            continue
        low, high = (
            None if bound is None else grams_of(bound, grid.grams_per_kwh)
            for bound in (one.low, one.high)
        )
        yield replace(
            one,
            id=f"emissions.{one.id.removeprefix('energy.')}",
            title=f"CO2 of a million inferences of {one.id.removeprefix('energy.')}",
            value=grams_of(one.value, grid.grams_per_kwh),
            low=low,
            high=high,
            unit="g",
            method="emissions",
            arguments={**one.arguments, "grid": GRID_FILE},
        )


def _energies(material: Material, run: RecordedRun, found: ProfileResult) -> Iterator[Figure]:
    for number, one in enumerate(found.runs):
        if one.energy is not None:
            yield Figure(
                f"energy.{one.id}",
                f"Energy per inference of {one.id}, above rest",
                one.energy.mj,
                one.energy.low,
                one.energy.high,
                unit="mJ",
                count=one.energy.inferences,
                file=f"records/{run.name}.json",
                method="field",
                arguments={"place": ["result", "runs", number, "energy"], "value": "mj"},
                origin=material.origin(run),
                section="energy",
            )


def read_run(form: type[FormT], run: RecordedRun | None) -> FormT | None:
    """Return the result of a run; None where it has another form, as from an older version."""
    try:
        return None if run is None else from_json(form, run.result)
    except InvalidDocument:
        return None
