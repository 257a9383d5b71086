"""Containers of a target: releases, their shared port, history, trials and removal."""
