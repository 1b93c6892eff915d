"""What became of the tensors of a file with published weights."""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Report:
    """A file's tensors and a backbone's, side by side."""

    origin: str
    """Where the file is."""
    source: str
    """Whose names it has."""
    fitted: tuple[str, ...]
    """Tensors of the file that the backbone has now."""
    inflated: tuple[str, ...]
    """Those among them that were over pictures and became ones over time."""
    left_out: tuple[str, ...]
    """Tensors of the file's classifier, which is of other classes."""
    kept: tuple[str, ...]
    """Counters of the backbone that older files lack."""

    def __str__(self) -> str:
        inflated = f", {len(self.inflated)} of them inflated over time" if self.inflated else ""
        left_out = f"; its classifier was left out: {shown(self.left_out)}" if self.left_out else ""
        return f"{self.origin}: {len(self.fitted)} tensors of {self.source}{inflated}{left_out}"


def shown(names: tuple[str, ...]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
