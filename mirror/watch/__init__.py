"""What keeps the show running for months, from a process of its own.

``watch`` starts the show and starts it again; ``judge`` says when. ``heartbeat`` is the line
between the two, one word for each presented picture. ``wings`` starts a show, ``standby`` is the
process that it is forked from. ``orphan``: a show whose supervisor was killed. ``alone``: one
program for one file. ``interrupts``: how a run is ended from outside. ``service`` and ``unit``:
systemd.
Nothing of the stages is imported here, but in the process that waits: the supervisor stays small.
"""
