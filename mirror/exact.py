"""Arithmetic that gives the same bits on every processor.

A river must flow the same way wherever a recorded evening is played again. IEEE additions,
multiplications, divisions and roundings agree on every processor; the exponentials, sines and
matrix products of numpy and its BLAS do not, because each processor gets its own kernels. So what
enters the river's state goes through this module, and is otherwise only added and multiplied,
element by element, in a fixed order. Pure; called by the show's thread.
"""

from __future__ import annotations

import functools
import itertools
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_LN2 = 0.6931471805599453
# Taylor's series of 2**-x, highest power first; ten terms leave 1e-11 for x within half of 0.
_TERMS = list(itertools.accumulate(range(1, 10), lambda term, n: term * -_LN2 / n, initial=1.0))
_TERMS.reverse()
_SERIES = [np.array(term) for term in _TERMS]  # numpy takes these quicker than its own numbers
_MOST_HALVINGS = 1000.0
_HALVED = np.ldexp(1.0, -np.arange(int(_MOST_HALVINGS) + 1))  # 2**-n, exact
_UNIFORM_SPREAD = 53509.92  # of a sum of eight whole numbers drawn from 0 to 65535
_UNIFORM_MEAN = 8 * 32767.5


def halving(count: Any) -> Doubles:
    """2**-count: what is left after so many half-lives, to 1e-11.

    count: float64 of any shape, 0 or more. Exactly 1 at 0.
    """
    count = np.minimum(np.asarray(count, np.float64), _MOST_HALVINGS)
    whole = np.rint(count)
    x = count - whole
    left = x * _SERIES[0] + _SERIES[1]
    for term in _SERIES[2:]:
        left *= x
        left += term
    return left * _HALVED.take(whole.astype(np.intp))


@functools.lru_cache(maxsize=64)
def left_after(time_s: float, half_life_s: float) -> float:
    """What is left of a decay after a time: 2**(-time / half-life), 0 to 1."""
    return float(halving(np.array([time_s / half_life_s]))[0])


def wave(turns: Any) -> Doubles:
    """A smooth wave of period 1 and height 1, within 0.2 % of sin(2 pi turns).

    turns: float64 of any shape. Continuous, and so is its slope: two parabolas, bent towards the
    sine (N. Capens, "Fast and accurate sine/cosine", 2006).
    """
    phase = turns - np.floor(np.asarray(turns, np.float64) + 0.5)
    parabola = 16.0 * phase * (0.5 - np.abs(phase))
    return parabola * (0.775 + 0.225 * np.abs(parabola))


class _Dice(threading.local):
    """One generator for each thread: to set it takes a fifth of what making it takes, which asks
    the system for luck that nobody wants."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(key=0)


_dice = _Dice()


def normals(seed: int, counter: tuple[int, int], shape: tuple[int, int]) -> Doubles:
    """Normal numbers that depend on nothing but seed, counter and shape: (N, C) float64.

    Philox's raw bits (Salmon et al. 2011) in a sum of eight uniform numbers: mean 0, variance 1,
    never beyond 4.9, excess kurtosis -0.15. No logarithm, so no processor's own last bit.
    """
    bits = _dice.philox
    bits.state = {
        "bit_generator": "Philox",
        "state": {
            "counter": np.array([0, 0, *counter], np.uint64),
            "key": np.array([seed, 0], np.uint64),
        },
        "buffer": np.zeros(4, np.uint64),
        "buffer_pos": 4,  # empty
        "has_uint32": 0,
        "uinteger": 0,
    }
    raw = np.asarray(bits.random_raw(2 * shape[0] * shape[1]), "<u8")
    total = np.add.reduce(raw.view("<u2").reshape(*shape, 8), axis=2, dtype=np.int64)  # (N, C)
    return (total - _UNIFORM_MEAN) / _UNIFORM_SPREAD
