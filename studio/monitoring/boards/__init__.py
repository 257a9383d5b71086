"""State of many boards from a broker: messages checked, merged, stored, filtered and grouped."""
