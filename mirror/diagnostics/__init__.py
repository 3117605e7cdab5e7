"""What a technician asks before a show: does it work here, and how fast?

``doctor``: what is there, what is missing and what mends it. ``probes``: what could take a process
down with it, tried in one of its own. ``bench``: what every stage costs on this machine.
"""
