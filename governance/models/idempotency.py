"""Answers that were given, so that a repeated request gets the same one."""

from __future__ import annotations

from django.db import models


class IdempotentAnswer(models.Model):
    """The answer to one request of one token under one Idempotency-Key, kept in the request's transaction."""

    token_id = models.BigIntegerField()
    endpoint = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField()
    body = models.JSONField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_id", "endpoint", "key"], name="idempotent_answer_once")
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.key}"
