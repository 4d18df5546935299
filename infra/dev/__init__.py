"""What is run from a checkout only: builders of the package data, and a Kafka broker."""
