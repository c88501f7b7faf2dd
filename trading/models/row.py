"""What every row is called where nothing better is known."""

from __future__ import annotations

from django.db import models

__all__ = ["Row"]


class Row(models.Model):
    """Named by its kind, in the reader's language, and its number."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} #{self.pk}"
