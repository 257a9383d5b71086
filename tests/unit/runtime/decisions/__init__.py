"""Tests of the record of decisions on the disk."""
