"""Tests of the apps on a board."""
