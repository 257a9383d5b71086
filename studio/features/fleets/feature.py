"""Fleets: studies over boards."""

from studio.feature_host import Feature

FEATURE = Feature(adds={"views of profile": ("pages.studies.view:StudyView",)})
