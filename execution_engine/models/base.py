"""Tables of the journal are written by SQL in `journal/` only; these models give migrations and reads."""

from typing import Any, NoReturn

from django.db import models


class ReadOnlyError(TypeError):
    """A journal table was about to be written through the ORM, past locks, fences and event numbers."""


class ReadOnlyQuerySet(models.QuerySet[Any]):
    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ReadOnlyError(f"{self.model.__name__} rows are written by execution_engine.journal only")

    create = bulk_create = bulk_update = update = delete = get_or_create = update_or_create = _refuse


class JournalModel(models.Model):
    """A table whose rows only the journal writes. Reading is ordinary Django."""

    objects = ReadOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *_: Any, **__: Any) -> NoReturn:
        raise ReadOnlyError(f"{type(self).__name__} rows are written by execution_engine.journal only")

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise ReadOnlyError(f"{type(self).__name__} rows are written by execution_engine.journal only")
