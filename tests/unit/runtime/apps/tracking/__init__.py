"""Tests of the tracking of objects."""
