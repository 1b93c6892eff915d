"""The opcodes, as `pickletools` tells them, of text, numbers, lists, dicts and numpy's arrays.

Those that call anything, ask another program or name a class are not among them; REDUCE and
BUILD make places of arrays alone, see `builders`.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping

from posemill.storage.pickles.builders import build, builder, call
from posemill.storage.pickles.machine import Machine
from posemill.storage.pickles.values import Fault, Span, UnbuiltArray

MAX_NAME_BYTES = 255
"""Longer texts are passed over: they are arrays' bytes."""
_MAX_INTEGER_BYTES = 16


def refusal(opcode: int) -> str:
    """Why a byte that is no opcode of these is refused."""
    return (
        f"the opcode {_NAMES.get(opcode, bytes([opcode]))}, which a file of arrays in lists and "
        "dicts does not need, and which may run code or be of another kind of file; nothing of "
        "it was run"
    )


def _text(machine: Machine, num_bytes: int) -> None:
    machine.stack.append(_piece(machine, num_bytes, is_text=True))


def _data(machine: Machine, num_bytes: int) -> None:
    machine.stack.append(_piece(machine, num_bytes, is_text=False))


def _piece(machine: Machine, num_bytes: int, *, is_text: bool) -> str | bytes | Span:
    window = machine.window
    if num_bytes > MAX_NAME_BYTES:
        span = Span(window.offset, num_bytes, is_text)
        window.skip(num_bytes)
        return span
    data = window.take(num_bytes)
    return window.decoded(data) if is_text else data


def _signed(machine: Machine, num_bytes: int) -> None:
    if num_bytes > _MAX_INTEGER_BYTES:
        raise Fault(f"a whole number of {num_bytes} bytes")
    data = machine.window.take(num_bytes)
    machine.stack.append(int.from_bytes(data, "little", signed=True))


def _float(machine: Machine) -> None:
    machine.stack.append(struct.unpack(">d", machine.window.take(8))[0])


def _tuple_since_mark(machine: Machine) -> None:
    machine.stack.append(tuple(machine.since_mark()))


def _tuple(machine: Machine, number: int) -> None:
    machine.stack.append(machine.take(number))


def _append(machine: Machine) -> None:
    machine.append(list(machine.take(1)))


def _set_item(machine: Machine) -> None:
    machine.set_items(list(machine.take(2)))


def _global(machine: Machine) -> None:
    module, name = machine.window.line(), machine.window.line()
    machine.stack.append(builder(module, name))


def _stack_global(machine: Machine) -> None:
    module, name = machine.take(2)
    if type(module) is not str or type(name) is not str:
        raise Fault("a global whose name is no text")
    machine.stack.append(builder(module, name))


def _reduce(machine: Machine) -> None:
    machine.stack.append(call(*machine.take(2)))


def _build(machine: Machine) -> None:
    what, state = machine.take(2)
    build(what, state)
    machine.stack.append(what.array if isinstance(what, UnbuiltArray) else what)


def _push(make: Callable[[], object]) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(make())


def _number(num_bytes: int) -> Callable[[Machine], None]:
    return lambda machine: machine.stack.append(machine.window.number(num_bytes))


def _sized(take: Callable[[Machine, int], None], num_bytes: int) -> Callable[[Machine], None]:
    """What is as long as a number of so many bytes before it tells."""
    return lambda machine: take(machine, machine.window.number(num_bytes))


_NAMES = {ord(each.code): each.name for each in pickletools.opcodes}
_BY_CODE: Mapping[bytes, Callable[[Machine], None]] = {
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
    b"q": _sized(Machine.memoize, 1),
    b"r": _sized(Machine.memoize, 4),
    b"\x94": Machine.memoize_next,
    b"h": _sized(Machine.recall, 1),
    b"j": _sized(Machine.recall, 4),
    b"(": Machine.mark,
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
    b".": Machine.stop,
}
OPCODES = {ord(code): run for code, run in _BY_CODE.items()}
"""What each opcode does, by its byte."""
