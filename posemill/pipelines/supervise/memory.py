"""How much memory a process and all that it started hold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


def family_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants, without mapped files.

    Memory that they share is counted once: what the process sees of it, or
    what its descendants do, whichever is more. 0 where the system does not tell.
    """
    own, *others = [_resident_bytes(member) for member in _family(pid)]
    private = own[0] + sum(each[0] for each in others)
    return private + max(own[1], sum(each[1] for each in others))


def _family(pid: int) -> Iterator[int]:
    """The process, then those that it started, and theirs."""
    yield pid
    with contextlib.suppress(OSError):  # they come and go
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from _family(int(child))


def _resident_bytes(pid: int) -> tuple[int, int]:
    """Private, and shared with other processes."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        private, shared = (sizes.get(name, "0").split()[0] for name in ("RssAnon", "RssShmem"))
        return int(private) * 1024, int(shared) * 1024
    return 0, 0
