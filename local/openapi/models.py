"""The models that the document refers to, each by the way that it is used."""

import importlib
from typing import Any, Literal

from pydantic import BaseModel

from tollgate.http.route import Route

Mode = Literal["validation", "serialization"]


class Models:
    """Notes every model that is referred to; its schema goes into the components."""

    def __init__(self) -> None:
        self.used: list[tuple[type[BaseModel], Mode]] = []

    def sent(self, model: type[BaseModel]) -> dict[str, Any]:
        """A reference to the schema of what is sent to us."""
        return self._noted(model, "validation")

    def answered(self, route: Route) -> dict[str, Any] | None:
        """A reference to the schema of what the route answers; None where no model tells it."""
        model = route.returns or (_documented(route.documented) if route.documented else None)
        if model is None:
            return None
        assert isinstance(model, type) and issubclass(model, BaseModel)
        return self._noted(model, "serialization")

    def _noted(self, model: type[BaseModel], mode: Mode) -> dict[str, Any]:
        if (model, mode) not in self.used:
            self.used.append((model, mode))
        return {"$ref": f"#/components/schemas/{model.__name__}"}


def _documented(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
