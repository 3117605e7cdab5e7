"""What could take a process down with it, tried in one of its own: drivers and large libraries.

In: a few lines of Python. Out: whether they worked, and the last line that they said. The lines
stand here as text because this process must not import what they import.
"""

from __future__ import annotations

import subprocess
import sys

#: The longest that one probe may take, seconds: a cold disk reads torch slowly.
PROBE_S = 120.0

OPENGL = """
import moderngl
context = moderngl.create_standalone_context(require=330, backend="egl")
version = context.info["GL_VERSION"].split()[0]
print(f"{context.info['GL_RENDERER']}; OpenGL {version}")
"""
DISPLAY = """
import glfw
glfw.ERROR_REPORTING = False
assert glfw.init()
glfw.window_hint(glfw.VISIBLE, False)
glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
assert glfw.create_window(64, 64, "doctor", None, None)
for monitor in glfw.get_monitors():
    mode = glfw.get_video_mode(monitor)
    name = glfw.get_monitor_name(monitor).decode(errors="replace")
    print(f"{name} {mode.size.width}x{mode.size.height}, {mode.refresh_rate} Hz", end="; ")
"""
MARKERS = """
import mediapipe, pathlib
folder = pathlib.Path(mediapipe.__file__).parent / "modules"
assert (folder / "face_landmark" / "face_landmark_with_attention.tflite").is_file()
print("FaceMesh and its models")
"""
TORCH = """
import torch
print(torch.cuda.get_device_name() if torch.cuda.is_available() else "the processor")
"""


def probe(source: str) -> tuple[bool, str]:
    """Run a few lines in a process of their own: whether they worked, and the last line said."""
    try:
        ran = subprocess.run(
            [sys.executable, "-c", source],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer within {PROBE_S:.0f} s"
    if ran.returncode < 0:
        return False, f"crashed with signal {-ran.returncode}"
    said = (ran.stdout if ran.returncode == 0 else ran.stderr).strip().splitlines()
    return ran.returncode == 0, said[-1].strip() if said else f"exit status {ran.returncode}"
