"""Show control: what a running show may be asked, by keys, by the network and by the clock.

``commands``: the words, their limits, and the box they wait in. ``conductor``: what holds now, and
the dark in which a piece changes. ``osc``: the words by OSC. ``porter``: the opening hours.
"""
