"""A fleet of simulated boards, and the plugin through which the studio reaches them."""
