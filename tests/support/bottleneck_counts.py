"""Parameters and multiply-accumulates of bottleneck networks, added up layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass
class Layers:
    """What the layers added so far cost."""

    parameters: int = 0
    macs: int = 0

    def conv(
        self,
        kernel: tuple[int, int, int],
        channels: tuple[int, int],
        outputs: tuple[int, int, int],
        *,
        norm: bool = True,
    ) -> None:
        """A convolution without bias; `outputs` are the positions that its kernel is laid on."""
        weights = prod(kernel) * prod(channels)
        self.parameters += weights + (2 * channels[1] if norm else 0)
        self.macs += weights * prod(outputs)

    def stage(
        self, blocks: int, read: int, width: int, time: int, sizes: tuple[int, int], frames: int
    ) -> None:
        """Bottlenecks that read `read` channels, on maps of `sizes` px before and after.

        Args:
            time: frames that the first convolution of each looks at.
        """
        before, after = ((frames, size, size) for size in sizes)
        for block in range(blocks):
            self.conv((time, 1, 1), (read, width), before if block == 0 else after)
            self.conv((1, 3, 3), (width, width), after)
            self.conv((1, 1, 1), (width, 4 * width), after)
            if block == 0:
                self.conv((1, 1, 1), (read, 4 * width), after)
            read = 4 * width
