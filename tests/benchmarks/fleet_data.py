"""Samples of simulated endpoints: most are well, some slow down, drift, fail, or change version."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from studio.documents.dataclass_json import from_json
from studio.monitoring.results import FleetSample


class SimulatedFleet:
    """Endpoints that behave by a fixed seed.

    Args:
        count: Of endpoints.
    """

    def __init__(self, count: int = 500, seed: int = 1) -> None:
        draws = np.random.default_rng(seed)
        sites = ("berlin", "lyon", "osaka", "austin", "turku")
        self._names = [f"{sites[n % 5]}-line{n // 25:02d}-cam{n % 25:02d}" for n in range(count)]
        self._usual = draws.uniform(4, 30, count)
        self._fate = draws.choice(5, count, p=(0.86, 0.05, 0.05, 0.02, 0.02))
        self._draws = draws
        self._second = 0

    def look(self) -> list[FleetSample]:
        """One sample of each, a second after the last ones."""
        self._second += 1
        noise = self._draws.lognormal(0, 0.1, len(self._names))
        return [self._sample(place, float(noise[place])) for place in range(len(self._names))]

    def _sample(self, place: int, noise: float) -> FleetSample:
        fate, second = int(self._fate[place]), self._second
        bad = fate and (second + place) % 60 < 40
        p99, health, alerts = self._usual[place] * noise, "healthy", []
        if bad and fate == 1:
            p99 *= 3
            alerts.append(("latency", "warning", f"The p99 latency is {p99:.3g} ms."))
        if bad and fate == 2:
            text = "image.brightness differs from the reference data in 2 of the last 3 windows."
            alerts.append(("drift", "warning", text))
        if bad and fate == 3:
            health = "degraded"
            alerts.append(("errors", "critical", "12 of 300 requests failed."))
        if bad and fate == 4:
            health = "unreachable"
            alerts.append(("unreachable", "critical", "The server does not answer: timed out."))
        gone = health == "unreachable"
        document = {
            "target": self._names[place],
            "at": datetime.now(UTC).isoformat(),
            "health": health,
            "throughput": 0.0 if gone else 40 + 20 * math.sin(second / 20 + place),
            "latency_ms": {"p99": None if gone else p99},
            "errors": 0,
            "requests": 100 * second,
            "alerts": [{"name": n, "level": level, "text": t} for n, level, t in alerts],
            "model": "digits",
            "version": 3 + int(second > 45 + place % 30),
            "drifting": [],
        }
        return from_json(FleetSample, document)
