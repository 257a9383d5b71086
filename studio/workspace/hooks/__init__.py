"""Events of finished steps, sent to the webhooks of the alert file."""
