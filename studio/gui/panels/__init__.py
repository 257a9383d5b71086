"""The panels of plugins: made on first show, served, and kept from ending the window."""
