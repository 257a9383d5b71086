"""Tests of the sources of apps."""
