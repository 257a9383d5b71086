"""Maker of ``geometry_cases.json``: answers of supervision 0.31 on seeded random cases.

Needs ``pip install supervision==0.31.2``, which the tests do not. Objects stay between the two
perpendiculars through the ends of the line, for supervision looks at nothing else; points of
zones are two pixels from the edges, for its zones are made of whole pixels.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import supervision as sv

SEED = 31


def line_case(draws: np.random.Generator) -> dict[str, object]:
    """The path of one object across a line, and the frames at which it is counted."""
    start, end = draws.integers(60, 340, 2), draws.integers(60, 340, 2)
    while np.hypot(*(start - end)) < 60:
        end = draws.integers(60, 340, 2)
    along = (end - start).astype(float)
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    shares = draws.uniform(0.05, 0.95, 8)
    offsets = draws.choice([-1, 1], 8) * draws.uniform(5, 50, 8)
    path = np.round(start + shares[:, None] * along + offsets[:, None] * across).astype(int)
    zone = sv.LineZone(
        sv.Point(*start.tolist()), sv.Point(*end.tolist()), [sv.Position.BOTTOM_CENTER]
    )
    events = []
    for at, (x, y) in enumerate(path.tolist()):
        box = np.array([[x - 10, y - 40, x + 10, y]], float)
        moved = zone.trigger(sv.Detections(xyxy=box, tracker_id=np.array([1])))
        events += [[at, name] for name, found in zip(("in", "out"), moved, strict=True) if found[0]]
    return {"start": start.tolist(), "end": end.tolist(), "path": path.tolist(), "events": events}


def zone_case(draws: np.random.Generator) -> dict[str, object]:
    """A polygon, points, and which of them are inside."""
    corners = int(draws.integers(3, 8))
    angles, far = np.sort(draws.uniform(0, 2 * np.pi, corners)), draws.uniform(60, 190, corners)
    area = np.round(200 + far[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(int)
    points = draws.integers(5, 395, (40, 2))
    points = points[[_edge_distance(area, point) >= 2 for point in points]][:12]
    margins = np.array([[-10, -40, 10, 0]])
    boxes = (np.tile(points, 2) + margins).astype(float)
    found = sv.PolygonZone(area).trigger(sv.Detections(xyxy=boxes))
    return {"area": area.tolist(), "points": points.tolist(), "inside": found.astype(int).tolist()}


def _edge_distance(area: np.ndarray, point: np.ndarray) -> float:
    shares = np.linspace(0, 1, 400)[:, None, None]
    edges = area * (1 - shares) + np.roll(area, -1, axis=0) * shares
    return float(np.hypot(*(edges - point).reshape(-1, 2).T).min())


def main() -> None:
    """Write the cases next to this file."""
    draws = np.random.default_rng(SEED)
    cases = {
        "made by": f"supervision {sv.__version__}",
        "lines": [line_case(draws) for _ in range(40)],
        "zones": [zone_case(draws) for _ in range(30)],
    }
    text = json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{")
    Path(__file__).with_name("geometry_cases.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
