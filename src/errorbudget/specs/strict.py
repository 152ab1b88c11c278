"""Mappings with known keys, and those that stand for one value of the core."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationInfo, model_validator

__all__ = ["Built", "Strict"]


class Strict(BaseModel):
    """A mapping with known keys; says which, to whoever explains an unknown one."""

    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, frozen=True, validate_default=False
    )

    @model_validator(mode="before")
    @classmethod
    def _note_keys(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and isinstance(info.context, dict):
            info.context[id(data)] = tuple(cls.model_fields)
        return data

    def given(self, *without: str) -> dict[str, Any]:
        """The values that were written, by key."""
        return {name: getattr(self, name) for name in self.model_fields_set if name not in without}


class Built(Strict):
    """A mapping that stands for one value of the core, built as soon as its parts are right."""

    _value: Any = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _build(self) -> Built:
        self._value = self.build()
        return self

    def build(self) -> Any:
        """The value of the core."""
        raise NotImplementedError  # pragma: no cover - abstract

    @property
    def value(self) -> Any:
        """The value of the core."""
        return self._value
