"""Plugins: what another package registers is found beside ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from posemill.errors import InputError
from posemill.plugins import ConfigurablePlugins, Plugins
from posemill.transforms.recipes.base import Recipe


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that registers two tools, one of which cannot be imported."""
    info = tmp_path / "tools-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tools\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tests.tools]\nplane = os.path:join\nsaw = nowhere:x\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_what_is_registered_is_found_by_name(registered: None) -> None:
    tools: Plugins[object] = Plugins("tests.tools", "tool")
    assert tools.names() == ["plane", "saw"]
    assert tools.get("plane") is __import__("os").path.join
    with pytest.raises(
        InputError,
        match=r"^no tool is called 'plan' \(did you mean 'plane'\?\); there are: plane, saw$",
    ):
        tools.get("plan")


def test_a_group_without_parts_says_so() -> None:
    with pytest.raises(InputError, match="no tool is called 'saw'; there are: none"):
        Plugins[object]("tests.none", "tool").get("saw")


def test_settings_are_read_from_text() -> None:
    recipes: ConfigurablePlugins[Recipe] = ConfigurablePlugins("posemill.recipes", "recipe")
    made = recipes.create("volume", {"sigma": "0.7"})
    assert made.configuration()["settings"]["sigma"] == 0.7
    assert recipes.create("volume") == recipes.get("volume")()
