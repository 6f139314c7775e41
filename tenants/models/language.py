"""The languages that people are told in."""

from django.db import models


class Language(models.TextChoices):
    """The languages that messages are written in."""

    ENGLISH = "en", "English"
    CHINESE = "zh", "中文"
