"""Tests of the variables of an app on a target."""
