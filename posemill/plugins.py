"""Finds parts by name through entry points, ours and those of other packages alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Generic, TypeVar, cast

from posemill.errors import InputError
from posemill.settings import Configurable, did_you_mean, parse_settings

Part = TypeVar("Part")
Configured = TypeVar("Configured", bound=Configurable)


@dataclass(frozen=True)  # slots would break Plugins[...](...): typing notes it in the object
class Plugins(Generic[Part]):
    """All that is registered in one group of entry points."""

    group: str
    """`posemill.recipes`; a package registers `name = "package.module:Part"` in it."""
    noun: str
    """What one is called in messages: `recipe`."""

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(entry_points(group=self.group).names)

    def get(self, name: str) -> Part:
        """The part registered as `name`.

        Raises:
            InputError: there is none.
        """
        found = entry_points(group=self.group, name=name)
        if not found:
            names = self.names()
            raise InputError(
                f"no {self.noun} is called {name!r}{did_you_mean(name, names)}; there are: "
                f"{', '.join(names) or 'none'}"
            )
        return cast(Part, next(iter(found)).load())


class ConfigurablePlugins(Plugins[type[Configured]]):
    """Classes whose fields are settings."""

    def create(self, name: str, settings: Mapping[str, str] | None = None) -> Configured:
        """What is registered as `name`, with `settings` as text in place of its defaults.

        Raises:
            InputError: there is none of that name, it has no such setting, or a value that
                cannot be.
        """
        found = self.get(name)
        return found(**parse_settings(found, settings or {}))
