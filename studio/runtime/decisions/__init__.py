"""The record of decisions: what a served model answered, and which persons overruled it."""
