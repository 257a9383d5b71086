"""Tests of the compilation for chips."""
