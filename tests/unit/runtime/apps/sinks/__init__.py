"""Tests of the sinks of apps."""
