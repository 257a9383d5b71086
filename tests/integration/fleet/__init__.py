"""State of boards through real brokers: nats-server and Mosquitto."""
