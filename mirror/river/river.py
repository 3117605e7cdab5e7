"""The river: parcels that flow, fade, spill into one another and take in visitors.

A parcel is a portrait in the making: its stream, its place, its latent, its turbulence, and its
dye, which states how much of it came from which visit and how much from the source. Latents and
dye lie side by side in one array, ``water``, and every law treats both alike: so the dye is exact
by construction. Laws are half-lives in closed form, the same at any rate of steps; numbers are
only added and multiplied in a fixed order, the same on every processor (``exact.py``).

In: visits and time. Out: a new state; the old one is not touched, unless it may be used up. Called
by the show's thread.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from mirror.errors import SettingsError
from mirror.exact import Doubles, halving, left_after
from mirror.river.source import Density, Source, spring, walk
from mirror.river.streams import TURNS, Bed, Indices, bed, first_places, neighbours, positions
from mirror.river.sway import admit, mixture, nearby, stirred
from mirror.river.water import exchange, fade, inject, restate
from mirror.settings import RiverSettings
from mirror.signals import Floats, Visit

#: Who is present; or who says so when they are attended to, for that takes time.
Present = Union[Sequence[Visit], Callable[[], Sequence[Visit]]]
Norms = Union[float, Floats]  # one for all parcels, or (P,) one for each

FREE, EARLIER = 0, -1  # visit_ids: a free slot; the last slot, where older visits run together
_FORGOTTEN = 1e-6  # dye that no portrait shows any more
_CALM = 1e-4  # less turbulence is none
_QUARTERS = 4  # parcels fade in turns, a quarter at every second step
_SLOW_STEP_S = 0.1  # in longer steps all of them fade at once
# Visitors and neighbours take turns, not sooner than so; longer steps give them one turn each.
_ATTEND_S, _MEET_S = 0.125, 0.125
# Pairs of neighbours take turns in so many parts: calm ones, and those in moving water. All of a
# calm part belong to one part of the others.
_CALM_PARTS, _STIRRED_PARTS = 8, 2


@dataclass(frozen=True)
class Moment:
    """The piece's time: exactly ``anchor_s + since * dt_s``, after so many steps in all."""

    steps: int = 0
    anchor_s: float = 0.0
    since: int = 0
    dt_s: float = 0.0

    @property
    def time_s(self) -> float:
        """Seconds since the start."""
        return self.anchor_s + self.since * self.dt_s

    def later(self, dt_s: float) -> Moment:
        """One step later. Steps of one length add up without rounding."""
        if dt_s == self.dt_s:
            return Moment(self.steps + 1, self.anchor_s, self.since + 1, dt_s)
        return Moment(self.steps + 1, self.time_s, 1, dt_s)


@dataclass(frozen=True)
class RiverState:
    """Everything the river is at one moment. Arrays are not to be written to.

    bed, densities, aspect: the streams, what the schools could paint, the screen's width over its
    height. place: (P,) float64, 0 to 1. water: (P, D + 1 + S) float32. turbulence: (P,) float32,
    0 to 1. visit_ids, presence: (S,) int64 and float64, the visit that each dye column belongs to.
    faded_s: (4,) float64, when each quarter of the parcels last faded. attended_s: when visitors
    were last attended to. turn, turned_s: how often neighbours have met, and when last. met_s:
    (4, 10) float64, when each part of the calm neighbours last met, and of those in moving water.
    """

    bed: Bed
    densities: tuple[Density, ...]
    aspect: float
    moment: Moment
    place: Doubles
    water: Floats
    turbulence: Floats
    visit_ids: Indices
    presence: Doubles
    faded_s: Doubles
    attended_s: float
    turn: int
    turned_s: float
    met_s: Doubles
    source: Source

    @property
    def time_s(self) -> float:
        """The piece's time, seconds since the start."""
        return self.moment.time_s

    @property
    def width(self) -> int:
        """D, the width of a latent."""
        return len(self.densities[0].mean)

    @property
    def stream(self) -> Indices:
        """(P,) int64, 0 to 5: the stream, and so the school, of each parcel."""
        return self.bed.stream

    @property
    def latent(self) -> Floats:
        """(P, D) float32, a view."""
        return self.water[:, : self.width]

    @property
    def dye(self) -> Floats:
        """(P, 1 + S) float32, a view: how much comes from the source, and from each visit."""
        return self.water[:, self.width :]

    @property
    def positions(self) -> Floats:
        """(P, 2) float32: where the parcels are, in screen heights."""
        return positions(self.stream, self.place, self.time_s, self.aspect)

    def dye_of(self, visit_id: int) -> Floats:
        """(P,) float32: how much of a visit is in each parcel; zeros when it is forgotten."""
        slot = np.flatnonzero(self.visit_ids == visit_id)
        if visit_id <= FREE or len(slot) == 0:
            return np.zeros(len(self.water), np.float32)
        return self.dye[:, 1 + int(slot[0])]


def start(
    settings: RiverSettings, densities: Sequence[Density], seed: int, aspect: float
) -> RiverState:
    """The river at time 0: every portrait comes from the source. densities: six, of one width."""
    of = bed(settings.parcels)
    source, water = spring(of, densities, settings, seed)
    ids = np.full(settings.visit_slots, FREE, np.int64)
    ids[-1] = EARLIER
    return RiverState(
        bed=of,
        densities=tuple(densities),
        aspect=aspect,
        moment=Moment(),
        place=first_places(of, seed),
        water=water,
        turbulence=np.zeros(len(water), np.float32),
        visit_ids=ids,
        presence=np.zeros(len(ids)),
        faded_s=np.zeros(_QUARTERS),
        attended_s=0.0,
        turn=0,
        turned_s=0.0,
        met_s=np.zeros((TURNS, _CALM_PARTS + _STIRRED_PARTS)),
        source=source,
    )


def advance(
    state: RiverState,
    settings: RiverSettings,
    visits: Present,
    until_s: float,
    consume: bool = False,
) -> RiverState:
    """The river as many whole fixed steps later as fit before a time; the rest waits.

    consume: the state given is used up, which saves copying it: nobody else may hold it.
    """
    for _ in range(math.floor((until_s - state.time_s) * settings.step_hz + 1e-6)):
        state = step(state, settings, visits, 1.0 / settings.step_hz, consume)
    return state


def step(
    state: RiverState,
    settings: RiverSettings,
    visits: Present,
    dt_s: float,
    consume: bool = False,
) -> RiverState:
    """The river one step later: it flows and fades; visitors and neighbours take turns.

    At every second step a quarter of the parcels fades, and either visitors are attended to
    (inject, stir, calm) or neighbours exchange (spill), or neither; each makes up for the time
    since its last turn. visits: whoever is present, with latents (F, D). Raises ShapeError when a
    visit attended to has arrays of another shape or not finite, SettingsError when the step is not
    forward.
    consume: the state given is used up, its water written to; nobody else may hold it.
    """
    if not 0 < dt_s < math.inf:
        raise SettingsError("the river's step", f"{dt_s} s", "more than 0 s")
    moment = state.moment.later(dt_s)
    now_s = moment.time_s
    place = state.place + state.bed.speed * (dt_s / settings.loop_s)
    place -= np.floor(place)
    water = state.water if consume else state.water.copy()
    faded_s = state.faded_s.copy()
    for quarter in _fading(moment):
        time_s = _between(faded_s[quarter], now_s)
        start, end = (len(water) * n // _QUARTERS for n in (quarter, quarter + 1))
        left = left_after(time_s, settings.fade_half_life_s)
        fade(water[start:end], state.source.target[start:end], left)
        faded_s[quarter] = now_s
    source = walk(state.source, state.bed, state.densities, settings, now_s, consume)
    state = _with(state, moment=moment, place=place, water=water, faded_s=faded_s, source=source)
    whose = _whose_turn(now_s, state.attended_s, state.turned_s)
    if whose == "visitors":
        now = visits() if callable(visits) else visits
        admitted = [admit(visit, state.width) for visit in now]
        return _attend(_enter(state, admitted), settings, admitted)
    return _meet(state, settings) if whose == "neighbours" else state


def attending_s(
    moment: Moment, attended_s: float, turned_s: float, step_hz: float
) -> Iterator[float]:
    """When a river in this state will attend to visitors as it flows on in fixed steps; for ever.

    All as in ``RiverState``, in the river's seconds; so are the times that come out.
    """
    while True:
        moment = moment.later(1.0 / step_hz)
        whose = _whose_turn(moment.time_s, attended_s, turned_s)
        if whose == "visitors":
            attended_s = moment.time_s
            yield attended_s
        elif whose == "neighbours":
            turned_s = moment.time_s


def state_hash(state: RiverState) -> str:
    """sha256 of everything that changes, in the order of ``arrays``, little-endian."""
    digest = hashlib.sha256()
    for array in arrays(state).values():
        digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def arrays(state: RiverState) -> dict[str, npt.NDArray[np.generic]]:
    """Everything that changes as the river flows, by name, in a fixed order.

    But for the source's target, which follows from its coordinates.
    """
    moment = state.moment
    return {
        "steps": np.array([moment.steps, moment.since, state.source.tick, state.turn], np.int64),
        "time_s": np.array([moment.anchor_s, moment.dt_s, state.attended_s, state.turned_s]),
        "place": state.place,
        "water": state.water,
        "turbulence": state.turbulence,
        "visit_ids": state.visit_ids,
        "presence": state.presence,
        "faded_s": state.faded_s,
        "met_s": state.met_s,
        "source_coordinates": state.source.coordinates,
    }


def on_shell(appearance: Floats, norm_mean: Norms, norm_low: Norms, norm_high: Norms) -> Floats:
    """Appearances brought back to the shell of norms that their model was trained on.

    A mixture is shorter than what it was mixed from, and would be painted as an average. Its norm
    is moved into the shell, smoothly: it stays where it was amid the shell, and comes to its rim
    however short or long it was. A view for painting; the river itself keeps the true mixture.
    Below a twentieth of the lower norm the direction says nothing, and the appearance shrinks
    towards the mean face instead of jumping. Codes (P, A) float32 -> (P, A) float32. Norms: (P,) or
    scalars, of each parcel's school, low < mean < high.
    """
    norm = np.sqrt(np.sum(appearance * appearance, axis=-1))  # (P,)
    norm_mean, norm_low = np.asarray(norm_mean), np.asarray(norm_low)
    off = norm - norm_mean
    room = np.where(off < 0, norm_mean - norm_low, norm_high - norm_mean)
    wanted = norm_mean + off / np.sqrt(1.0 + (off / room) ** 2)
    scale = wanted / np.maximum(norm, 0.05 * norm_low)
    return (appearance * scale[..., None]).astype(np.float32)


def _fading(moment: Moment) -> Sequence[int]:
    """The quarters of the parcels that fade at a step."""
    if moment.dt_s > _SLOW_STEP_S:
        return range(_QUARTERS)
    return [moment.steps // 2 % _QUARTERS] if moment.steps % 2 == 0 else []


def _whose_turn(now_s: float, attended_s: float, turned_s: float) -> str:
    """Whose turn it is, by when they last had one: visitors, neighbours, or nobody's ("")."""
    overdue = (now_s - attended_s) / _ATTEND_S
    overdue_meeting = (now_s - turned_s) / _MEET_S
    if max(overdue, overdue_meeting) < 1 - 1e-6:
        return ""
    return "visitors" if overdue >= overdue_meeting else "neighbours"


def _with(state: RiverState, **changes: Any) -> RiverState:
    """The state with some things changed, in a third of the time that ``replace`` takes."""
    return RiverState(**{**vars(state), **changes})


def _between(then_s: float, now_s: float) -> float:
    """Seconds from then to now without the last bits of sums, so that equal times look alike."""
    return round((now_s - float(then_s)) * 1e7) / 1e7


def _enter(state: RiverState, visits: Sequence[Visit]) -> RiverState:
    """Every visit has its column of dye. When all are taken the faintest runs into 'earlier'."""
    ids, here = state.visit_ids.tolist(), {visit.id for visit in visits}
    if here.issubset(ids):
        return state
    water, presence = state.water.copy(), state.presence.copy()
    for new in [visit.id for visit in visits if visit.id not in ids]:
        if FREE in ids:
            ids[ids.index(FREE)] = new
            continue
        dye = np.add.reduce(water[:, state.width + 1 :], axis=0)
        faint = [n for n in np.argsort(dye, kind="stable").tolist() if ids[n] not in here]
        faint = [n for n in faint if ids[n] != EARLIER]
        if faint:
            column = state.width + 1 + faint[0]
            water[:, -1] += water[:, column]
            water[:, column] = 0.0
            ids[faint[0]], presence[faint[0]] = new, 0.0
    return _with(state, water=water, visit_ids=np.array(ids, np.int64), presence=presence)


def _attend(state: RiverState, settings: RiverSettings, visits: Sequence[Visit]) -> RiverState:
    """Visitors pull parcels towards them and stir the water, for the time since the last turn.

    The state's water is new in this step, seen by nobody else yet: it is written to.
    """
    water = state.water
    time_s = _between(state.attended_s, state.time_s)
    if visits:
        near = nearby(visits, state.positions)  # (V, P)
        slots = {n: slot for slot, n in enumerate(state.visit_ids.tolist())}
        # A visit without a slot of its own dyes the last one, which it shares.
        columns = [state.width + 1 + slots.get(v.id, len(slots) - 1) for v in visits]
        mix = mixture(visits, near, settings, time_s)
        inject(water, state.source.target, state.stream, visits, columns, mix)
        known = dict(zip(state.visit_ids.tolist(), state.presence.tolist()))
        rises = [max(v.presence - known.get(v.id, v.presence), 0.0) / time_s for v in visits]
        turbulence = stirred(state.turbulence, visits, near, rises, settings, time_s)
    else:
        turbulence = state.turbulence * np.float32(left_after(time_s, settings.calm_half_life_s))
    turbulence[turbulence < _CALM] = 0.0
    restate(water, state.width)
    present = {visit.id: visit.presence for visit in visits}
    return _with(
        state,
        turbulence=turbulence,
        presence=np.array([present.get(n, 0.0) for n in state.visit_ids.tolist()]),
        attended_s=state.time_s,
    )


def _meet(state: RiverState, settings: RiverSettings) -> RiverState:
    """Neighbours exchange: each pair keeps its sum, its difference decays.

    They meet in turns, calm pairs every 32nd time, stirred ones every eighth, and make up for the
    time since they last met. The state's water is new in this step: it is written to.
    """
    water, met_s, now_s = state.water, state.met_s.copy(), state.time_s
    turn, part = state.turn % TURNS, state.turn // TURNS % _CALM_PARTS
    stirred_part, among_them = part % _STIRRED_PARTS, part // _STIRRED_PARTS
    column = _CALM_PARTS + stirred_part
    a, b = (each[stirred_part::_STIRRED_PARTS] for each in neighbours(state.bed, state.place, turn))
    wild = (state.turbulence.take(a) + state.turbulence.take(b)).astype(np.float64)
    rate = 0.5 / settings.spill_stirred_half_life_s
    left = halving(wild * (rate * _between(met_s[turn, column], now_s)))  # (N,), 1 where calm
    calm_s = _between(met_s[turn, part], now_s)
    every = _CALM_PARTS // _STIRRED_PARTS
    left[among_them::every] *= left_after(calm_s, settings.spill_half_life_s)
    meeting = np.flatnonzero(left < 1.0)
    exchange(water, a.take(meeting), b.take(meeting), 0.5 - 0.5 * left.take(meeting))
    met_s[turn, part] = met_s[turn, column] = now_s
    ids = _forget(state, water)
    return _with(state, met_s=met_s, turn=state.turn + 1, turned_s=now_s, visit_ids=ids)


def _forget(state: RiverState, water: Floats) -> Indices:
    """One slot in turn is looked at: a visit that has gone and left nothing frees it, in place.

    Without this the faintest dye would become numbers too small to compute with quickly.
    """
    slot = state.turn % len(state.visit_ids)
    held, column = int(state.visit_ids[slot]), water[:, state.width + 1 + slot]
    if held == FREE or state.presence[slot] > 0 or column.max() >= _FORGOTTEN:
        return state.visit_ids
    column[:] = 0.0
    ids = state.visit_ids.copy()
    ids[slot] = EARLIER if held == EARLIER else FREE
    return ids
