"""The steps on apps: new, check, run and test."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.features.apps.results import AppCheck, AppCreated, AppRun
from studio.jobs import Effect, Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass

_APP_HELP = "Folder of the app, or its app.toml."
_SET_HELP = "NAME=VALUE of a variable of the app."
_CODE_HELP = (
    "Agree to run the Python code of the app on this computer. It can read the folder of the app "
    "and the recordings, and has no network."
)
_DIGEST_HELP = "SHA-256 of the code that was agreed to, from app check (default: any)."


@dataclass(frozen=True, slots=True)
class AppCheckOptions:
    """Options of the step ``app-check``."""

    app: Path = option(kind=Kind.FILE, folders=True, positional=True, help=_APP_HELP)
    set: tuple[str, ...] = option((), title="Variables", help=_SET_HELP, secret=True)


@dataclass(frozen=True, slots=True)
class AppRunOptions:
    """Options of the step ``app-run``."""

    app: Path = option(kind=Kind.FILE, folders=True, positional=True, help=_APP_HELP)
    set: tuple[str, ...] = option((), title="Variables", help=_SET_HELP, secret=True)
    replay: tuple[Path, ...] = option(
        (),
        kind=Kind.FILE,
        folders=True,
        help="Video, folder of pictures or CSV file in place of a source, in the order of the "
        "sources.",
    )
    seconds: float = option(
        0,
        minimum=0,
        unit="s",
        zero="until the sources end",
        help="Stop after this time.",
    )
    events: Path | None = option(
        None, kind=Kind.OUTPUT, title="Events file", help="File for the events, one a line."
    )
    deliver: bool = option(
        False, help="Deliver events to the sinks of the app (default: only show them)."
    )
    allow_code: bool = option(False, title="Run its Python code", help=_CODE_HELP)
    code: str | None = option(None, help=_DIGEST_HELP, advanced=True)
    allow_network: bool = option(
        False,
        title="Its Python code may use the network",
        help="Agree that this code uses the network, as cameras and sinks of the app do.",
    )
    threads: int = option(
        0,
        minimum=0,
        maximum=256,
        zero="automatic",
        help="Threads of each model.",
        advanced=True,
    )


@dataclass(frozen=True, slots=True)
class AppTestOptions:
    """Options of the step ``app-test``."""

    app: Path = option(kind=Kind.FILE, folders=True, positional=True, help=_APP_HELP)
    set: tuple[str, ...] = option((), title="Variables", help=_SET_HELP, secret=True)
    least_f1: float | None = option(
        None,
        minimum=0,
        maximum=1,
        title="Least F1",
        help="Least F1 score of the events (default: from app.toml).",
    )
    allow_code: bool = option(False, title="Run its Python code", help=_CODE_HELP)
    code: str | None = option(None, help=_DIGEST_HELP, advanced=True)


@dataclass(frozen=True, slots=True)
class AppNewOptions:
    """Options of the step ``app-new``."""

    out: Path = option(kind=Kind.OUTPUT, positional=True, help="Folder of the new app.")
    model: Path | None = option(
        None, kind=Kind.FILE, help="Detector to copy into the app, with its settings."
    )


APP_NEW: Step[AppNewOptions, AppCreated] = Step(
    name="app-new",
    title="New app",
    summary="Create the folder of an app: sources, steps and sinks to complete.",
    options=AppNewOptions,
    result=AppCreated,
    work="studio.features.apps.scaffold:create",
    record="studio.features.apps.scaffold:created",
    texts="studio.features.apps.texts:created",
    limits=Limits(seconds=120),
)

APP_CHECK: Step[AppCheckOptions, AppCheck] = Step(
    name="app-check",
    title="Check the app",
    summary="Check the graph, settings, models and files of an app.",
    options=AppCheckOptions,
    result=AppCheck,
    work="studio.features.apps.work:check",
    texts="studio.features.apps.texts:checked",
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
)

APP_RUN: Step[AppRunOptions, AppRun] = Step(
    name="app-run",
    title="Run the app",
    summary="Run an app on this computer and show its events.",
    options=AppRunOptions,
    result=AppRun,
    work="studio.features.apps.work:run",
    record="studio.features.apps.work:saved",
    texts="studio.features.apps.texts:ran",
    needs=frozenset({Permission.NETWORK}),
    effect=Effect.LOOKS,
    ordered=True,
    until_stopped=True,
    own_code="allow_code",
)

APP_TEST: Step[AppTestOptions, AppRun] = Step(
    name="app-test",
    title="Test the app",
    summary="Replay the recordings of an app and compare its events with the known ones.",
    options=AppTestOptions,
    result=AppRun,
    work="studio.features.apps.work:test",
    texts="studio.features.apps.texts:tested",
    exit_code="studio.features.apps.texts:exit_code",
    effect=Effect.PURE,
    own_code="allow_code",
)
