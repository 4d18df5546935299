"""The service `barograph run`, embedded: inputs, the engine's loop, couriers, health."""
