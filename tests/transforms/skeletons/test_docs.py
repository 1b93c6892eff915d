"""What docs/skeletons.md says is so."""

import re
from pathlib import Path

from posemill.transforms.skeletons import SKELETONS, convertible

TEXT = (Path(__file__).parents[3] / "docs" / "skeletons.md").read_text(encoding="utf-8")


def rows(header: str) -> list[list[str]]:
    """The cells of the table under a header line."""
    lines = TEXT.split(header, 1)[1].splitlines()[2:]
    table = lines[: next((n for n, line in enumerate(lines) if not line.startswith("|")), None)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_every_code_block_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        exec(compile(block, "docs/skeletons.md", "exec"), {})  # noqa: S102


def test_every_skeleton_is_listed_with_its_number_of_limbs() -> None:
    listed = {row[0].strip("`"): int(row[2]) for row in rows("| Name | Joints, in order |")}
    assert listed == {name: len(skeleton.limbs) for name, skeleton in SKELETONS.items()}


def test_the_conversions_are_those_that_work() -> None:
    listed = {row[0].strip("`"): re.findall(r"`([^`]+)`", row[1]) for row in rows("| From | To |")}
    assert listed == {
        name: [
            other
            for other, target in SKELETONS.items()
            if other != name and convertible(source, target)
        ]
        for name, source in SKELETONS.items()
    }
