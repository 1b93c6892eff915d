"""Walks through the opcodes of a pickle of protocol 2 to 5 and gives its outermost items.

The opcodes are those of Python's `pickletools`, without those that call anything, ask
another program or name a class; those that numpy's arrays need make places, not
arrays. Of a file of any size it holds the items since the last that it gave,
names, and where the arrays lie.
"""

from __future__ import annotations

import pickletools
import reprlib
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from posemill.errors import UnreadablePoses
from posemill.storage.pickles.builders import build, builder, call
from posemill.storage.pickles.byte_window import ByteWindow
from posemill.storage.pickles.values import (
    ArrayPlace,
    Builder,
    Fault,
    NumberType,
    Span,
    UnbuiltArray,
)

MAX_NAME_BYTES = 255
"""Longer texts are passed over: they are arrays' bytes."""
MAX_OPCODES = 10_000_000
"""Between two batches of items: some hundred bytes of memory each. The splits of 650,000 clips
take 3 million."""
MAX_STACK = 1_000_000
_MAX_INTEGER_BYTES = 16
_SMALL = (str, bytes, Builder, NumberType, ArrayPlace, UnbuiltArray)
_KEYS = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Item:
    """Something in the outermost dict or list, or in a list that lies in that dict."""

    key: object
    """In the dict; None in a list."""
    value: object
    in_list: bool
    """Whether it is one of the list at that key, which is then given empty."""


def walk(path: Path) -> Iterator[Item]:
    """The items of a file, in order; arrays are `ArrayPlace`.

    Raises:
        UnreadablePoses: it is no such pickle, or wants to run code; names the byte.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        machine = _Machine(file)
        while not machine.is_done:
            try:
                items = machine.run()
            except Fault as fault:
                raise UnreadablePoses(
                    f"{path}, byte {machine.window.opcode_at:,}: {fault}"
                ) from fault
            yield from items


class _Machine:
    """Stack, marks and memo of a pickle."""

    def __init__(self, file: BinaryIO) -> None:
        self.window = ByteWindow(file)
        self.stack: list[Any] = []
        self._marks: list[tuple[int, int]] = []
        """Height of the stack, and how many opcodes had counted by then."""
        self._memo: dict[int, Any] = {}
        self._fresh: list[int] = []
        """What was memoized since items were given."""
        self._num_memoized = 0
        self._num_counted = 0
        self._num_counted_before = 0
        self._items: list[Item] = []
        self.is_done = False

    def run(self) -> list[Item]:
        """The next items.

        Raises:
            Fault: an opcode that cannot be followed, or is not.
        """
        self._items = []
        if self.window.offset == 0:
            self._begin()
        while not self._items and not self.is_done:
            opcode = self.window.opcode()
            run = _RUN.get(opcode)
            if run is None:
                raise Fault(_refusal(opcode))
            self._num_counted += 1
            try:
                run(self)
            except IndexError as error:
                raise Fault("an opcode for values that are not there") from error
            if self._num_counted > MAX_OPCODES or len(self.stack) > MAX_STACK:
                raise Fault(f"more than {MAX_OPCODES:,} values, or {MAX_STACK:,} at once")
        return self._items

    def _begin(self) -> None:
        start = self.window.take(2)
        if start[0] != 0x80 or not 2 <= start[1] <= 5:
            raise Fault(
                f"starts with {start!r}; expected a pickle of protocol 2 to 5. Of older ones make "
                "a newer one where you trust them"
            )

    def mark(self) -> None:
        self._marks.append((len(self.stack), self._num_counted))

    def since_mark(self) -> list[Any]:
        """The values since the last mark, taken off with it."""
        height, self._num_counted_before = self._marks.pop()
        values = self.stack[height:]
        del self.stack[height:]
        return values

    def take(self, number: int) -> tuple[Any, ...]:
        """The last values, taken off."""
        self._num_counted_before = self._num_counted
        if len(self.stack) < number:
            raise IndexError
        values = tuple(self.stack[-number:])
        del self.stack[-number:]
        return values

    def memoize(self, index: int) -> None:
        self._memo[index] = self.stack[-1]
        self._fresh.append(index)
        self._num_memoized += 1

    def memoize_next(self) -> None:
        self.memoize(self._num_memoized)

    def recall(self, index: int) -> None:
        if index not in self._memo:
            raise Fault(
                f"refers to value {index}, which is not there, or is a list, a dict or a tuple of "
                "an annotation before; expected annotations that share arrays, numbers and names "
                "alone"
            )
        value = self._memo[index]
        self.stack.append(value.array if isinstance(value, UnbuiltArray) else value)

    def append(self, values: list[Any]) -> None:
        """To the list that is on top."""
        target = self.stack[-1]
        if type(target) is not list:
            raise Fault(f"an item for {reprlib.repr(target)}; expected a list")
        if self._is_given():
            below = self.stack[-2] if len(self.stack) > 1 else None
            self._give([Item(below, value, in_list=True) for value in values])
        else:
            target += values

    def set_items(self, values: list[Any]) -> None:
        """Of the dict that is on top: key, value, key ..."""
        target = self.stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise Fault(f"{len(values)} keys and values for {reprlib.repr(target)}")
        pairs = list(zip(values[::2], values[1::2], strict=True))
        for key, _ in pairs:
            if type(key) not in _KEYS:
                raise Fault(f"the key {reprlib.repr(key)}; expected a name or a number")
        if len(self.stack) == 1:
            self._give([Item(key, value, in_list=False) for key, value in pairs])
        else:
            target.update(pairs)

    def stop(self) -> None:
        (value,) = self.take(1)
        if self.stack or self._marks:
            raise Fault("ends in the midst of a value")
        self.is_done = True
        if type(value) not in (dict, list):
            self._give([Item(None, value, in_list=False)])

    def _is_given(self) -> bool:
        """Whether the list on top is the outermost value, or lies in the outermost dict."""
        if len(self.stack) == 1:
            return True
        num_marks = len(self._marks)
        is_value = len(self.stack) == 3 or (num_marks == 1 and self._marks[0][0] == 1)
        return type(self.stack[0]) is dict and is_value and self.stack[-2] == "annotations"

    def _give(self, items: list[Item]) -> None:
        """What of the memo is small stays and goes on to count; the rest goes with the items."""
        self._items = items
        for index in self._fresh:
            if not _is_small(self._memo.get(index)):
                self._memo.pop(index, None)
        self._num_counted = self._num_counted_before + len(self._fresh)
        self._fresh = []


def _is_small(value: object) -> bool:
    if type(value) is tuple:
        return len(value) == 2 and all(type(each) is int for each in value)  # the size of a frame
    return type(value) in _SMALL


def _refusal(opcode: int) -> str:
    return (
        f"the opcode {_NAMES.get(opcode, bytes([opcode]))}, which a file of arrays in lists and "
        "dicts does not need, and which may run code or be of another kind of file; nothing of "
        "it was run"
    )


def _text(machine: _Machine, num_bytes: int) -> None:
    machine.stack.append(_piece(machine, num_bytes, is_text=True))


def _data(machine: _Machine, num_bytes: int) -> None:
    machine.stack.append(_piece(machine, num_bytes, is_text=False))


def _piece(machine: _Machine, num_bytes: int, *, is_text: bool) -> str | bytes | Span:
    window = machine.window
    if num_bytes > MAX_NAME_BYTES:
        span = Span(window.offset, num_bytes, is_text)
        window.skip(num_bytes)
        return span
    data = window.take(num_bytes)
    return window.decoded(data) if is_text else data


def _signed(machine: _Machine, num_bytes: int) -> None:
    if num_bytes > _MAX_INTEGER_BYTES:
        raise Fault(f"a whole number of {num_bytes} bytes")
    data = machine.window.take(num_bytes)
    machine.stack.append(int.from_bytes(data, "little", signed=True))


def _float(machine: _Machine) -> None:
    machine.stack.append(struct.unpack(">d", machine.window.take(8))[0])


def _tuple_since_mark(machine: _Machine) -> None:
    machine.stack.append(tuple(machine.since_mark()))


def _tuple(machine: _Machine, number: int) -> None:
    machine.stack.append(machine.take(number))


def _append(machine: _Machine) -> None:
    machine.append(list(machine.take(1)))


def _set_item(machine: _Machine) -> None:
    machine.set_items(list(machine.take(2)))


def _global(machine: _Machine) -> None:
    module, name = machine.window.line(), machine.window.line()
    machine.stack.append(builder(module, name))


def _stack_global(machine: _Machine) -> None:
    module, name = machine.take(2)
    if type(module) is not str or type(name) is not str:
        raise Fault("a global whose name is no text")
    machine.stack.append(builder(module, name))


def _reduce(machine: _Machine) -> None:
    machine.stack.append(call(*machine.take(2)))


def _build(machine: _Machine) -> None:
    what, state = machine.take(2)
    build(what, state)
    machine.stack.append(what.array if isinstance(what, UnbuiltArray) else what)


def _push(make: Callable[[], object]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(make())


def _number(num_bytes: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.window.number(num_bytes))


def _sized(take: Callable[[_Machine, int], None], num_bytes: int) -> Callable[[_Machine], None]:
    """What is as long as a number of so many bytes before it tells."""
    return lambda machine: take(machine, machine.window.number(num_bytes))


_NAMES = {ord(each.code): each.name for each in pickletools.opcodes}
_OPCODES: Mapping[bytes, Callable[[_Machine], None]] = {
    b"N": _push(lambda: None),
    b"\x88": _push(lambda: True),
    b"\x89": _push(lambda: False),
    b"}": _push(dict),
    b"]": _push(list),
    b")": _push(tuple),
    b"K": _number(1),
    b"M": _number(2),
    b"J": lambda machine: _signed(machine, 4),
    b"\x8a": _sized(_signed, 1),
    b"G": _float,
    b"\x8c": _sized(_text, 1),
    b"X": _sized(_text, 4),
    b"\x8d": _sized(_text, 8),
    b"C": _sized(_data, 1),
    b"B": _sized(_data, 4),
    b"\x8e": _sized(_data, 8),
    b"\x96": _sized(_data, 8),
    b"q": _sized(_Machine.memoize, 1),
    b"r": _sized(_Machine.memoize, 4),
    b"\x94": _Machine.memoize_next,
    b"h": _sized(_Machine.recall, 1),
    b"j": _sized(_Machine.recall, 4),
    b"(": _Machine.mark,
    b"t": _tuple_since_mark,
    b"\x85": lambda machine: _tuple(machine, 1),
    b"\x86": lambda machine: _tuple(machine, 2),
    b"\x87": lambda machine: _tuple(machine, 3),
    b"a": _append,
    b"e": lambda machine: machine.append(machine.since_mark()),
    b"s": _set_item,
    b"u": lambda machine: machine.set_items(machine.since_mark()),
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _reduce,
    b"b": _build,
    b"\x95": lambda machine: machine.window.skip(8),  # a frame's length, which tells nothing
    b".": _Machine.stop,
}
_RUN = {ord(code): run for code, run in _OPCODES.items()}
