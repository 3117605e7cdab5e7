"""The names of the measures, what each must reach, and how it is computed, in one line each.

``weights/README.md`` tells the same at length. Bars were set before anything was trained, and the
judges are not touched: what cannot be reached is reported as it is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One measure.

    low, high: where it must lie, ends included; None: no end on that side, and both None when it
    is held against the linear model. images: whether it needs real training portraits.
    """

    how: str
    low: float | None = None
    high: float | None = None
    images: bool = False

    def met(self, value: float, linear: float) -> bool:
        """Whether a value meets the bar. linear: the same of the linear model."""
        if self.low is None and self.high is None:
            return value <= linear + 1e-9
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def bar(self) -> str:
        """The bar in a few characters."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if self.high is not None else "at most linear"


MEASURES: dict[str, Measure] = {
    "found": Measure("share of random portraits in which FaceMesh finds a face", low=0.98),
    "obeys": Measure("how far found markers lie from the sitter's, in eye distances", high=0.04),
    "mouth": Measure("correlation of the mouth's opening, commanded and found", low=0.9),
    "yaw": Measure("correlation of the head's yaw, commanded and found", low=0.97),
    "blink": Measure("correlation of the eyes' opening, commanded and found", low=0.85),
    "recognisable": Measure("share of 12 sitters told apart by found proportions", low=0.8),
    "school": Measure("a classifier names the school: painted over real", low=0.9, images=True),
    "sharp": Measure(
        "energy of the two finest Laplacian bands: painted over real", 0.7, 1.3, images=True
    ),
    "believable": Measure(
        "accuracy of a classifier that tells painted from real", high=0.8, images=True
    ),
    "new": Measure(
        "share of random portraits that copy a training portrait", high=0.02, images=True
    ),
    "varied": Measure("distance between portraits: painted over real", low=0.8, images=True),
    "steady": Measure("change a step, in levels of 255, where a slow walk should hold still"),
    "cost": Measure("time for one texture over that of the pix2pix U-Net", high=0.25),
}
