"""Whole stories, told against the running product: web, worker and sandbox orchestrator as processes."""
