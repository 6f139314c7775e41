"""A stand-in for the demo, for tests that start the whole product."""
