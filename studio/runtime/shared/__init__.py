"""Parts that several commands of the runtime use."""
