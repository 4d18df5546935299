"""The Kafka driver: topics of rows and results, transactional stages, effectively once."""
