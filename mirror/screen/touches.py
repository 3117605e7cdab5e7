"""What a hand does at the technician's screen: values, and the words for keys."""

from __future__ import annotations

from dataclasses import dataclass

import glfw

WORDS = {
    glfw.KEY_ENTER: "enter",
    glfw.KEY_KP_ENTER: "enter",
    glfw.KEY_ESCAPE: "escape",
    glfw.KEY_TAB: "tab",
    glfw.KEY_BACKSPACE: "backspace",
    glfw.KEY_SPACE: "space",
    glfw.KEY_LEFT: "left",
    glfw.KEY_RIGHT: "right",
    glfw.KEY_UP: "up",
    glfw.KEY_DOWN: "down",
}


@dataclass(frozen=True)
class Touch:
    """kind: 'press', 'release' (left button), 'move' or 'key'. x, y: of the mouse, in pixels of the
    screen. key: a letter or a word of ``WORDS``; shift: held with it."""

    kind: str
    x: float
    y: float
    key: str = ""
    shift: bool = False


def name_of_key(key: int) -> str:
    """The word for a key of glfw; '' for one that nobody needs."""
    if glfw.KEY_A <= key <= glfw.KEY_Z:
        return chr(key).lower()
    return WORDS.get(key, "")
