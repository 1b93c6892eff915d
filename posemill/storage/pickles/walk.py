"""Walks through a pickle of protocol 2 to 5 and gives its outermost items."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from posemill.errors import UnreadablePoses
from posemill.storage.pickles.machine import Item, Machine
from posemill.storage.pickles.opcodes import OPCODES, refusal
from posemill.storage.pickles.values import Fault


def walk(path: Path) -> Iterator[Item]:
    """The items of a file, in order; arrays are `ArrayPlace`.

    Raises:
        UnreadablePoses: it is no such pickle, or wants to run code; names the byte.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        machine = Machine(file)
        while not machine.is_done:
            try:
                items = _next_items(machine)
            except Fault as fault:
                raise UnreadablePoses(
                    f"{path}, byte {machine.window.opcode_at:,}: {fault}"
                ) from fault
            yield from items


def _next_items(machine: Machine) -> list[Item]:
    """Raises:
    Fault: an opcode that cannot be followed, or is not.
    """
    window = machine.window
    if window.offset == 0:
        machine.begin()
    machine.items = []
    while not machine.items and not machine.is_done:
        opcode = window.opcode()
        run = OPCODES.get(opcode)
        if run is None:
            raise Fault(refusal(opcode))
        machine.count()
        try:
            run(machine)
        except IndexError as error:
            raise Fault("an opcode for values that are not there") from error
    return machine.items
