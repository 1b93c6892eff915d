from __future__ import annotations

import inspect

import posemill.errors
from posemill.errors import MissingDependency, PosemillError


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    classes = [
        item
        for _, item in inspect.getmembers(posemill.errors, inspect.isclass)
        if issubclass(item, PosemillError)
    ]
    drawn = posemill.errors.__doc__ or ""
    assert {item.exit_status for item in classes} == {1, 2, 3}
    for item in classes:
        (line,) = [row for row in drawn.splitlines() if f" {item.__name__} " in f"{row} "]
        depth = len(item.__mro__) - len(PosemillError.__mro__)
        assert len(line) - len(line.lstrip(" │├└─")) == 4 + 4 * depth, line


def test_a_missing_package_says_how_to_install_it() -> None:
    error = MissingDependency("ai-edge-litert", "blazepose", "the estimator blazepose")
    assert str(error) == (
        "the estimator blazepose needs the package 'ai-edge-litert', which is not installed; "
        "install it with: pip install 'posemill[blazepose]'"
    )
