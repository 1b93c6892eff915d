"""The machine that a pickle is a program for, without what calls anything.

Of a file of any size it holds the items since the last that it gave, names, and where
the arrays lie.
"""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Any, BinaryIO

from posemill.storage.pickles.byte_window import ByteWindow
from posemill.storage.pickles.values import ArrayPlace, Builder, Fault, NumberType, UnbuiltArray

MAX_OPCODES = 10_000_000
"""Between two batches of items: some hundred bytes of memory each. The splits of 650,000 clips
take 3 million."""
MAX_STACK = 1_000_000
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


class Machine:
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
        self.items: list[Item] = []
        """What was given last."""
        self.is_done = False

    def begin(self) -> None:
        """Pass over the start, which tells the protocol.

        Raises:
            Fault: it is another one, or no pickle at all.
        """
        start = self.window.take(2)
        if start[0] != 0x80 or not 2 <= start[1] <= 5:
            raise Fault(
                f"starts with {start!r}; expected a pickle of protocol 2 to 5. Of older ones make "
                "a newer one where you trust them"
            )

    def count(self) -> None:
        """Raises:
        Fault: so many opcodes have run, since items were given, as no annotations need.
        """
        self._num_counted += 1
        if self._num_counted > MAX_OPCODES or len(self.stack) > MAX_STACK:
            raise Fault(f"more than {MAX_OPCODES:,} values, or {MAX_STACK:,} at once")

    def mark(self) -> None:
        """Begin values that are taken together."""
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
        """Keep what is on top by a number."""
        self._memo[index] = self.stack[-1]
        self._fresh.append(index)
        self._num_memoized += 1

    def memoize_next(self) -> None:
        """The same by the number of what was kept so far."""
        self.memoize(self._num_memoized)

    def recall(self, index: int) -> None:
        """Put what was kept on top.

        Raises:
            Fault: it is not there, or went with the items.
        """
        if index not in self._memo:
            raise Fault(
                f"refers to value {index}, which is not there, or is a list, a dict or a tuple of "
                "an annotation before; expected annotations that share arrays, numbers and names "
                "alone"
            )
        value = self._memo[index]
        self.stack.append(value.array if isinstance(value, UnbuiltArray) else value)

    def append(self, values: list[Any]) -> None:
        """To the list that is on top.

        Raises:
            Fault: there is none.
        """
        target = self.stack[-1]
        if type(target) is not list:
            raise Fault(f"an item for {reprlib.repr(target)}; expected a list")
        if self._is_given():
            below = self.stack[-2] if len(self.stack) > 1 else None
            self._give([Item(below, value, in_list=True) for value in values])
        else:
            target += values

    def set_items(self, values: list[Any]) -> None:
        """Of the dict that is on top: key, value, key ...

        Raises:
            Fault: there is none, or a key is no name.
        """
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
        """End with the value that is there.

        Raises:
            Fault: there are several.
        """
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
        self.items = items
        for index in self._fresh:
            if not _is_small(self._memo.get(index)):
                self._memo.pop(index, None)
        self._num_counted = self._num_counted_before + len(self._fresh)
        self._fresh = []


def _is_small(value: object) -> bool:
    if type(value) is tuple:
        return len(value) == 2 and all(type(each) is int for each in value)  # the size of a frame
    return type(value) in _SMALL
