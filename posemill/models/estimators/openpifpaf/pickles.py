"""What a file of torch would call when it is loaded, told from its opcodes; nothing is run.

A pickle is a program for a small stack machine. It reaches code only through the
opcodes that name a function or class to look up (GLOBAL, STACK_GLOBAL, INST) or
that take one from a registry (EXT1, EXT2, EXT4).
"""

from __future__ import annotations

import io
import pickletools
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posemill.errors import WeightsUnavailable

# What tensors and plain data need; torch's own loader of weights knows them, too.
_PLAIN = frozenset({"collections.OrderedDict", "torch.Size", "torch.device"})
_PLAIN_PREFIXES = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_parameter")
_TEXT = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_EXTENSIONS = frozenset({"EXT1", "EXT2", "EXT4"})
_UNKNOWN = "a name that is not told"
_MAX_PICKLES = 5  # torch's oldest files are that many one after another, then raw numbers


def describe_code(path: Path) -> str:
    """What a file would call that tensors and plain data do not need; empty for a safe file,
    and for a file that is no pickle.

    Raises:
        WeightsUnavailable: it cannot be read.
    """
    try:
        names = sorted(name for name in looked_up(path) if not _is_plain(name))
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise WeightsUnavailable(
            f"{path} cannot be read ({error}); fetch or copy it again"
        ) from error
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown


def looked_up(path: Path) -> frozenset[str]:
    """`module.name` of all that the pickles in a file look up when they are loaded."""
    return frozenset(name for pickled in _pickles(path) for name in _names(pickled))


def _is_plain(name: str) -> bool:
    storage = name.startswith("torch.") and name.endswith("Storage") and name.count(".") == 1
    return storage or name in _PLAIN or name.startswith(_PLAIN_PREFIXES)


def _pickles(path: Path) -> Iterator[bytes]:
    """The pickles of a zip file, or the whole of any other file."""
    if not zipfile.is_zipfile(path):
        yield path.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".pkl"):
                yield archive.read(member)


def _names(content: bytes) -> Iterator[str]:
    stream = io.BytesIO(content)
    for _ in range(_MAX_PICKLES):
        try:
            yield from _names_of_one(stream)
        except (ValueError, IndexError):  # the end, or what is no pickle, which no loader runs on
            return


def _names_of_one(stream: io.BytesIO) -> Iterator[str]:
    """Names in one pickle: only texts are followed on their way to STACK_GLOBAL."""
    pushed: list[str | None] = []
    memo: dict[int, str | None] = {}
    argument: Any
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name == "MEMOIZE":
            memo[len(memo)] = pushed[-1] if pushed else None
        elif name in _PUT:
            memo[int(argument)] = pushed[-1] if pushed else None
        elif name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".", 1)
            pushed.append(None)
        elif name == "STACK_GLOBAL":
            last = pushed[-2:]
            known = [text for text in last if text is not None]
            yield ".".join(known) if len(known) == 2 else _UNKNOWN
            pushed.append(None)
        elif name in _EXTENSIONS:
            yield f"extension {argument}"
        elif name in _GET:
            pushed.append(memo.get(int(argument)))
        else:
            pushed.append(str(argument) if name in _TEXT else None)
