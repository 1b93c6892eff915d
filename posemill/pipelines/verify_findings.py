"""What the check of a part of a store found and did, told from a worker to the driver as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from posemill.errors import DiskRefused
from posemill.storage.damage import Checked, Damage


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one part of a store, a shard for instance."""

    damages: tuple[Damage, ...] = ()
    num_files: int = 0
    num_bytes: int = 0
    to_do: bool = False
    """Not damaged, and not made either, or void: the next run makes it."""
    can_be_mended: bool = False
    """It is damaged, and a repair could have it made again."""
    mended: bool = False
    """A repair did: this one, or another that was first."""

    @property
    def is_irreparable(self) -> bool:
        return bool(self.damages) and not self.can_be_mended

    @classmethod
    def of(cls, checked: Checked, *, repair: bool) -> Self:
        """What a check found; with `repair` it is mended, where it can be and nobody was first.

        Raises:
            EnvironmentFault: what mends it cannot be written.
        """
        return cls(
            damages=checked.damages,
            num_files=checked.num_files,
            num_bytes=checked.num_bytes,
            to_do=checked.to_do,
            can_be_mended=checked.mend is not None,
            mended=repair and checked.mend is not None and checked.mend(),
        )

    @classmethod
    def unknown(cls, place: str, problem: str) -> Self:
        """Of what could not be looked at to the end, which counts as damaged."""
        return cls((Damage(place, problem),))

    def as_dict(self) -> dict[str, Any]:
        return {
            "damages": [damage.as_dict() for damage in self.damages],
            "num_files": self.num_files,
            "num_bytes": self.num_bytes,
            "to_do": self.to_do,
            "can_be_mended": self.can_be_mended,
            "mended": self.mended,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        damages = (
            Damage(each["place"], each["problem"], tuple(each["items"])) for each in told["damages"]
        )
        return cls(**{**told, "damages": tuple(damages)})


def look(place: str, check: Callable[[], Checked], *, repair: bool) -> Findings:
    """Check the part that begins at `place`, and mend it with `repair`.

    Where the disk refuses to give something, that is told and not mended: it may be whole.

    Raises:
        EnvironmentFault: an object store fails, or what mends it cannot be written.
    """
    try:
        checked = check()
    except DiskRefused as error:
        return Findings.unknown(place, f"not all that it tells of can be read: {error}")
    return Findings.of(checked, repair=repair)
