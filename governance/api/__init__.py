"""The internal endpoints: JSON, scoped tokens, Idempotency-Key, problem+json."""
