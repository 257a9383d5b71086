"""Compatibility of a model with the releases of a runtime."""

from studio.models.coverage.check import check, too_new
from studio.models.coverage.releases import Release, releases
from studio.models.results import Problem

__all__ = ["Problem", "Release", "check", "releases", "too_new"]
