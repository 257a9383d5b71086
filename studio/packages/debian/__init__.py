"""A release as a Debian package, for fleets that have their own tools: apt, Mender, Landscape."""

from studio.packages.debian.archive import write_package
from studio.packages.debian.package import DebianPlatform, build

__all__ = ["DebianPlatform", "build", "write_package"]
