from __future__ import annotations

from io import StringIO

from rich.console import Console

from posemill.pipelines.events import (
    ItemDone,
    ItemsRetried,
    ShardEnded,
    StageEnded,
    StageStarted,
    WorkerLost,
    WorkerRetired,
)
from posemill.pipelines.progress import ProgressDisplay


def shown(terminal: bool, num_items: int = 20) -> str:
    stream = StringIO()
    console = Console(file=stream, force_terminal=terminal, width=100)
    with ProgressDisplay(console) as display:
        display(StageStarted("extract", num_shards=2, num_items=num_items))
        for number in range(num_items):
            status = "quarantined" if number == 3 else "ok"
            message = "no frame decodes" if number == 3 else ""
            display(ItemDone(0, f"video-{number}", status, num_frames=9, message=message))
        display(ItemsRetried(0, ("video-3",), "killed by SIGSEGV"))
        display(WorkerRetired("the device is lost"))
        display(WorkerLost((1,), "a worker process died"))
        display(ShardEnded(1, "failed", 10, "no space left"))
        display(StageEnded("extract", 2.5))
    return stream.getvalue()


def test_a_log_has_about_ten_lines_and_every_trouble() -> None:
    lines = shown(terminal=False).splitlines()
    assert [line for line in lines if " of 20" in line][::9] == [
        "extract: 2 of 20",
        "extract: 20 of 20 1 not usable",
    ]
    assert "video-3: quarantined: no frame decodes" in lines
    assert "video-3: killed by SIGSEGV; trying again in a fresh process" in lines
    assert "a worker is retired: the device is lost" in lines
    assert "a worker process died; trying again" in lines
    assert "shard 1 failed: no space left" in lines
    assert lines[-1] == "extract: done in 2.5 s"


def test_what_is_done_again_after_a_loss_counts_once() -> None:
    """Shard 0 loses its worker after two of three; shard 1 after its commit, which was not told."""
    stream = StringIO()
    with ProgressDisplay(Console(file=stream, force_terminal=False, width=100)) as display:
        display(StageStarted("extract", num_shards=2, num_items=6))
        for item in "abab":
            display(ItemDone(0, item, "quarantined" if item == "b" else "ok", num_frames=9))
        display(ItemDone(0, "c", "ok", num_frames=9))
        display(ShardEnded(0, "committed", 3))
        display(ItemDone(1, "a", "ok", num_frames=9))
        display(ShardEnded(1, "skipped", 3))
    done = [line for line in stream.getvalue().splitlines() if line.startswith("extract: ")]
    assert [line.split()[1] for line in done] == ["1", "2", "3", "4", "6"]
    assert done[-1] == "extract: 6 of 6 1 not usable"


def test_a_terminal_has_a_bar() -> None:
    text = shown(terminal=True)
    assert "20/20" in text
    assert "1 not usable" in text


def test_a_counter_counts_what_is_no_stage() -> None:
    stream = StringIO()
    with ProgressDisplay(Console(file=stream, force_terminal=False)) as display:
        count = display.counter("fixtures")
        count(5, 10)
        count(10, 10)
    assert stream.getvalue().splitlines() == ["fixtures: 5 of 10", "fixtures: 10 of 10"]
