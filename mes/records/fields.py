"""Columns of our own: exact decimals of any length."""

from __future__ import annotations

from django.db import models


class ExactDecimalField(models.DecimalField):
    """A `numeric` without a fixed scale: a measured value keeps the digits it was recorded with."""

    def __init__(self, *args, **kwargs):
        kwargs["max_digits"] = kwargs["decimal_places"] = None
        super().__init__(*args, **kwargs)

    def check(self, **kwargs):
        return models.Field.check(self, **kwargs)

    def db_type(self, connection):
        return "numeric"

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_digits", None)
        kwargs.pop("decimal_places", None)
        return name, path, args, kwargs
