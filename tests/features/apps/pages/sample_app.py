"""An app as its check, its reports and its result give it, and the page that shows them."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from studio.documents.dataclass_json import to_json
from studio.features.apps.pages.app.page import AppPage
from studio.features.apps.results import AppCheck, AppPart, AppProgress, AppRun
from studio.gui.pages.shared.question import Question
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig

WIDTH, HEIGHT = 400, 300
TOML = '[steps.yard]\ntype = "zone"\narea = [[100, 100], [200, 100], [200, 200]] # the yard\n'


def part(
    name: str, group: str, kind: str, inputs: dict[str, str] | None = None, **settings: Any
) -> AppPart:
    """One part; inputs are names with what they carry."""
    given = inputs or {}
    gives = {"source": "pictures", "step": "tracks"}.get(group, "")
    names, kinds = tuple(given), tuple(given.values())
    return AppPart(name, group, kind, f"Work of {kind}", gives, names, settings, kinds)


PARTS = (
    part("gate", "source", "video", path="gate.avi"),
    part("people", "step", "detect", {"gate": "pictures"}, model="detector", classes=["person"]),
    part("tracks", "step", "track", {"people": "objects"}),
    part("cross", "step", "line", {"tracks": "tracks"}, start=[10, 20], end=[110, 20]),
    part(
        "yard",
        "step",
        "zone",
        {"tracks": "tracks"},
        area=[[100, 100], [200, 100], [200, 200], [100, 200]],
    ),
    part("log", "sink", "file", {"cross": "events", "yard": "events"}, path="events.jsonl"),
)


def check(folder: str = "/apps/gate", **others: Any) -> AppCheck:
    """The app of the gate, which can run."""
    found = AppCheck(
        name="gate",
        title="Gate of the yard",
        folder=folder,
        parts=PARTS,
        order=("people", "tracks", "cross", "yard"),
        models=(),
        variables={},
        requirements={},
        own_steps=(),
        warnings=(),
        digest="0" * 64,
    )
    return replace(found, **others)


def event(number: int, **details: Any) -> dict[str, Any]:
    """An event of the line."""
    return {
        "id": f"gate-{number}",
        "kind": "crossing",
        "source": "gate",
        "step": "cross",
        "time": 1_700_000_000.0 + number,
        "at_s": float(number),
        "frame": 10 * number,
        **(details or {"direction": "in", "track": number}),
    }


def source(state: str = "running", **others: Any) -> dict[str, Any]:
    """State of a source."""
    return {
        "type": "video",
        "state": state,
        "reason": "",
        "frames": 50,
        "dropped": 0,
        "lost": 0,
        "fps": 25.0,
        **others,
    }


def times(p50: float, frames: int = 50) -> dict[str, Any]:
    """Time of one stage."""
    return {"frames": frames, "mean": p50, "p50": p50, "p95": 2 * p50}


STEPS = {"yard": times(0.5), "people": times(12.0), "tracks": times(1.5), "cross": times(0.25)}


def picture() -> str:
    """A dark frame in base64."""
    content = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (40, 60, 40)).save(content, "JPEG")
    return base64.b64encode(content.getvalue()).decode("ascii")


def progress(*events: dict[str, Any], **others: Any) -> AppProgress:
    """A report of the running app, with a picture."""
    found = AppProgress(
        frames=50,
        fps=25.0,
        events=events,
        sources={"gate": source()},
        steps=STEPS,
        latency_ms=times(15.0),
        counts={"cross crossing": len(events)} if events else {},
        source="gate",
        picture=picture(),
        width=WIDTH,
        height=HEIGHT,
    )
    return replace(found, **others)


def run(*events: dict[str, Any], **others: Any) -> AppRun:
    """A finished run."""
    found = AppRun(
        name="gate",
        sources={"gate": source("ended")},
        steps=STEPS,
        frames=50,
        failed=0,
        seconds=2.0,
        fps=25.0,
        busy_s=1.0,
        latency_ms=times(15.0),
        events=events,
        count=len(events),
        counts={"cross crossing": len(events)},
    )
    return replace(found, **others)


def open_checked(rig: Rig, page: AppPage, folder: Path, found: AppCheck) -> None:
    """Open an app, and let its check end well."""
    page.open_app(folder)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=found))


def report(rig: Rig, page: AppPage, *events: dict[str, object], **others: object) -> None:
    rig.message(page, "app", **to_json(progress(*events, **others)))


def question(page: AppPage) -> Question:
    (found,) = (one for one in page.findChildren(Question) if one.isVisible())
    return found
