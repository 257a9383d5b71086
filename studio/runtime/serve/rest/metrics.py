"""Metrics in Prometheus' text format."""

from __future__ import annotations

from typing import Iterator

from ..http.exchange import Exchange
from ..http.message import TEXT, Response
from ..service import Service
from .families import families
from .metric_family import Family, Labels
from .router import PathNames, Route


def metrics(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Everything that is counted."""
    models = service.repository.all()
    lines = [line for family in families(service, models) for line in _lines(family)]
    if any(model.generator is not None for model in models):
        from .generation_metrics import generation_families

        lines += [line for family in generation_families(models) for line in _lines(family)]
    return Response(200, ("\n".join(lines) + "\n").encode("utf-8"), TEXT)


def _lines(family: Family) -> Iterator[str]:
    name = family.name
    yield "# HELP {} {}".format(name, family.text)
    yield "# TYPE {} {}".format(name, family.kind)
    for labels, value in family.samples:
        written = _written(labels)
        yield "{}{} {}".format(name, "{" + written + "}" if written else "", value)
    bounds = [repr(bound) for bound in family.bounds] + ["+Inf"]
    for histogram in family.histograms:
        written = _written(histogram.labels)
        total = 0
        for bound, count in zip(bounds, histogram.counts):
            total += count
            yield '{}_bucket{{{},le="{}"}} {}'.format(name, written, bound, total)
        yield "{}_sum{{{}}} {:.6f}".format(name, written, histogram.total)
        yield "{}_count{{{}}} {}".format(name, written, total)


def _written(labels: Labels) -> str:
    return ",".join('{}="{}"'.format(name, _escaped(value)) for name, value in labels)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


ROUTES = (Route("GET", "/metrics", metrics),)
