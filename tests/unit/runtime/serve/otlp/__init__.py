"""Tests of the export of metrics."""
