"""Which columns of a user's own table tell what: ours by theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from posemill.errors import InputError
from posemill.storage.datasets.text_rows import Encoding
from posemill.storage.datasets.tree import SPLIT

COLUMNS = ("path", "id", "label", "subset", "start", "end")
_SPLIT = "split"


@dataclass(frozen=True)
class ListColumns:
    """How a table is read.

    Raises:
        InputError: a column that is none of ours, two of one split, or a separator that cannot
            be.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    """Name in the table by ours: one of `COLUMNS`, or `split:NAME`. What is not given may be
    there under our own name; once something is given, other columns are passed over."""
    label_separator: str = ""
    """Between the labels of a clip that has several; empty where a label is one."""
    encoding: Encoding = "utf-8"
    """Of text without a byte-order mark."""

    def __post_init__(self) -> None:
        for ours in self.given:
            if ours not in COLUMNS and not _split_of(ours):
                raise InputError(
                    f"--column {ours}={self.given[ours]}: expected OURS=THEIRS, OURS one of "
                    f"{', '.join(COLUMNS)} or split:NAME"
                )
        if {"subset", f"{_SPLIT}:{SPLIT}"} <= set(self.given):
            raise InputError(
                f"--column: subset is the split {SPLIT!r}, for which two columns are given"
            )
        if len(self.label_separator) > 1 or self.label_separator.isspace():
            raise InputError(
                f"--label-separator {self.label_separator!r}: expected one character, such as ;"
            )

    def theirs(self) -> dict[str, str]:
        """Name in the table of each of our columns that may be there."""
        taken = {*self.given, *self.given.values()} - {"path"}
        return {name: name for name in COLUMNS if name not in taken} | dict(self.given)

    def required(self) -> list[str]:
        """Those names in the table that must be there."""
        return [*dict.fromkeys([self.theirs()["path"], *self.given.values()])]

    def unknown(self, names: Collection[str]) -> list[str]:
        """Columns that are in a table and cannot be passed over, since nothing is given."""
        return [] if self.given else [name for name in names if name not in COLUMNS]

    def splits(self) -> Iterator[tuple[str, str]]:
        """Names of the splits, and of ours for their columns."""
        yield SPLIT, "subset"
        for ours in self.given:
            if split := _split_of(ours):
                yield split, ours


def _split_of(ours: str) -> str:
    """Name of the split whose column this is; empty where it is another's."""
    prefix, _, name = ours.partition(":")
    return name if prefix == _SPLIT else ""
