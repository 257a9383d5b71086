"""Tests of the walls around workers."""
