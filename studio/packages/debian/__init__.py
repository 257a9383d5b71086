"""A release as a Debian package, for fleets that have their own tools: apt, Mender, Landscape."""

from studio.packages.debian.archive import write_package
from studio.packages.debian.package import Place, build

__all__ = ["Place", "build", "write_package"]
