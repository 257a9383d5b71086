"""Laws and standards as dated data, with the evidence that each of their sections wants."""
