"""Drift on the target: inputs and answers of a served model, compared with its reference data.

A few numbers of each frame (signals) are counted in bins whose edges are quantiles of the reference
data. Each window of frames is one chi-square test a signal; two of three windows beyond their
limits are an alarm. Memory is constant, and the counts of several boards can be added.
"""
