"""Tests of the engine of apps and of its parts."""
