"""`materialize` by a recipe that reads frames: what is told, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from posed_videos import posed
from video_makers import Film

from posemill.cli import run as commands


def test_clips_whose_frames_cannot_be_had_are_told(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_SHOWN", 2)
    made = posed(tmp_path, dict.fromkeys("abcd", Film(frames=6)))
    for name in "abc":
        made.video(name).unlink()
    settings = [
        word for each in ("length=2", "short_side=16", "crop=16") for word in ("--set", each)
    ]
    command = ("materialize", made.poses, "-o", made.out, "--recipe", "rgb-clip", *settings)
    status, out, _ = run(*command, "--dry-run")
    assert (status, out.count("\n")) == (0, 1)
    assert "0.00 MB a clip before compression; 3 videos to decode missing on disk" in out
    assert not made.out.exists()

    status, out, err = run(*command, "--workers", 1)
    assert status == 1
    assert f"c: missing: missing video: {made.video('c')}" in err  # as it happens
    assert err[err.index("materialize: done") :].splitlines()[1:] == [
        f"a: missing video: {made.video('a')}",
        f"b: missing video: {made.video('b')}",
        "and 1 more clips; --json lists all",
    ]
    assert "4 clips (1 valid), 4 rendered now" in out
    assert out.endswith("; 3 clips whose frames could not be had\n")

    status, out, _ = run(*command, "--workers", 1, "--json")
    summary = json.loads(out)
    assert (status, summary["rendered_now"], summary["without_frames"]) == (1, 0, 3)
    assert list(summary["not_made"]) == ["a", "b", "c"]
    status, out, _ = run("status", made.out, "--json")
    assert json.loads(out)["reasons"] == {"missing video": 3}
    status, out, _ = run("verify", made.out)
    assert status == 0
    status, out, _ = run("gc", made.out, "--dry-run")
    assert status == 0
    status, out, _ = run("preview", made.out, "-o", tmp_path / "pictures", "--json")
    assert (status, len(json.loads(out)["pictures"])) == (0, 1)
