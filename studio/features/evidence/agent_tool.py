"""The tool for agents that lists evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.agent_tools.foreign_text import MOST_ITEMS, untrusted
from studio.agent_tools.schemas import MODEL, TEXT, UNTRUSTED, listed, record
from studio.agent_tools.tool import Arguments, Tool
from studio.features.evidence.survey.facade import Evidence
from studio.workspace import Workspace


def _sections(opened: Workspace, given: Arguments) -> Mapping[str, Any]:
    survey = opened.service(Evidence).survey(opened.registry.find(given["model"]))
    rows = [
        {"id": one.id, "title": one.title, "state": one.state, "note": untrusted(one.note)}
        for one in survey.sections.values()
    ]
    return {"sections": rows[:MOST_ITEMS]}


LIST_EVIDENCE = Tool(
    "list_evidence",
    "Evidence",
    "List the evidence about a variant: what is present and what is missing.",
    record(model=MODEL),
    record(sections=listed(record(id=TEXT, title=TEXT, state=TEXT, note=UNTRUSTED))),
    _sections,
)
