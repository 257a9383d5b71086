"""Tests of the watch for drift."""
