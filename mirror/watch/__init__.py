"""What keeps the show running for months, from a process of its own.

``watch`` starts the show and starts it again; ``judge`` says when. ``heartbeat`` is the line
between the two, one word for each presented picture. ``alone``: one program for one file.
``interrupts``: how a run is ended from outside. ``service`` and ``unit``: systemd.
Nothing of the stages is imported here: the supervisor stays small.
"""
