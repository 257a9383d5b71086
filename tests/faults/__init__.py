"""The fault campaign: what may happen to a board in the midst of a release, point by point."""
