"""Files of published weights, as they are wrapped, and as they are broken."""

from __future__ import annotations

import io
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from posemill.errors import InputError, MissingDependency, StoreCorrupted  # noqa: E402
from posemill.models.backbones.published import read_published  # noqa: E402

WEIGHTS = {"conv1.weight": torch.arange(4.0).reshape(2, 2), "fc.bias": torch.ones(3)}


def saved(content: Any, *, old: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


def wrapped(prefix: str) -> dict[str, Any]:
    return {prefix + name: tensor for name, tensor in WEIGHTS.items()}


@pytest.mark.parametrize(
    "content",
    [
        saved(WEIGHTS),
        saved(WEIGHTS, old=True),
        saved({"state_dict": wrapped("module."), "epoch": 3, "arch": "resnext-101"}),
        saved({"state_dict": wrapped("module.base_model."), "best_prec1": 0.5}),
        saved({"state_dict": wrapped("backbone."), "meta": {"time": "today"}}, old=True),
    ],
)
def test_wrappers_come_off(content: bytes) -> None:
    read = read_published(content, "w.pth")
    assert read.keys() == WEIGHTS.keys()
    for name, tensor in WEIGHTS.items():
        torch.testing.assert_close(read[name], tensor)


def test_safetensors() -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    content = safetensors.save(WEIGHTS)
    torch.testing.assert_close(read_published(content, "w.safetensors"), WEIGHTS)
    with pytest.raises(StoreCorrupted, match=r"w: \d+ bytes that cannot be read as safetensors"):
        read_published(content[:-9], "w")


def test_safetensors_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "safetensors.torch", None)
    with pytest.raises(MissingDependency, match="pip install safetensors"):
        read_published(b"\0" * 8 + b"{}", "w.safetensors")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (saved([1, 2]), r"w: has no weights: expected tensors by name, .* got list"),
        (saved({}), r"w: has no weights"),
        (saved({"state_dict": 3}), r"w: has no weights: .* got dict; save the network's"),
        (saved({"conv1.weight": 3.0}), r"w: has other things than tensors .* conv1.weight; save"),
    ],
)
def test_other_content_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_published(content, "w")


class _Danger:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("run",))


def test_code_is_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    for content in (saved({"state_dict": WEIGHTS, "hook": _Danger()}), b"no file of torch's"):
        with pytest.raises(StoreCorrupted, match="w: "):
            read_published(content, "w")
    assert capsys.readouterr().out == ""
