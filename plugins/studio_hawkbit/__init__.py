"""Fleets that pull: releases published to hawkBit-compatible servers."""
