"""Tests of the guard rules."""
