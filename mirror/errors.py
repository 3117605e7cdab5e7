"""Every error that the program raises on purpose.

::

    MirrorError            where, what was found, what is allowed, what to try
    ├── SourceError        a camera, URL or file that cannot be read
    │   └── OtherCameraError   a camera that is not the one of the site file
    ├── SettingsError      a flag or a line of the site file that is not allowed
    ├── WeightsError       face models that are missing, damaged or of another shape
    ├── ScreenError        no OpenGL, no display, a shader that does not compile
    ├── SessionError       a recorded camera session that cannot be read or written
    ├── StateError         a saved river that is damaged, or was another one
    ├── PortraitsError     pictures that a school cannot be trained on
    └── ShapeError         an array of the wrong shape or kind at a stage's border

The command line prints such an error as one line and ends with exit status 2.
"""

from __future__ import annotations


class MirrorError(Exception):
    """An error told in four parts, so that whoever reads it knows what to do next.

    where: the file, flag or stage; found: what was there; allowed: what may be there;
    attempt: the next thing to try. The last two may be empty.
    """

    def __init__(self, where: str, found: str, allowed: str = "", attempt: str = "") -> None:
        self.where, self.found, self.allowed, self.attempt = where, found, allowed, attempt
        line = f"{where}: {found}"
        if allowed:
            line += f"; allowed: {allowed}"
        if attempt:
            line += f"; try: {attempt}"
        super().__init__(line)

    def __reduce__(self) -> tuple[type[MirrorError], tuple[str, str, str, str]]:
        """The same in another process."""
        return type(self), (self.where, self.found, self.allowed, self.attempt)


class SourceError(MirrorError):
    """A camera, URL or file that cannot be read."""


class OtherCameraError(SourceError):
    """A camera that is not the one of the site file."""


class SettingsError(MirrorError):
    """A flag or a line of the site file that is not allowed."""


class WeightsError(MirrorError):
    """Face models that are missing, damaged or of another shape."""


class ScreenError(MirrorError):
    """No OpenGL, no display, or a shader that does not compile."""


class SessionError(MirrorError):
    """A recorded camera session that cannot be read or written."""


class StateError(MirrorError):
    """A saved river that is damaged, or was another one."""


class PortraitsError(MirrorError):
    """Pictures that a school cannot be trained on."""


class ShapeError(MirrorError):
    """An array of the wrong shape or kind at a stage's border."""
