"""Will it run there? A model held against what a release of a runtime can load."""

from studio.models.coverage.check import check, too_new
from studio.models.coverage.releases import Release, releases
from studio.models.results import Problem

__all__ = ["Problem", "Release", "check", "releases", "too_new"]
