"""Paint is slow: which portraits are painted, by whom, and when.

``wishes``: which paintings are missed most. ``painter``: the thread that paints, newest request
first. ``loading``: the models come in while the first pictures are shown. The models themselves
are the faces stage, which is imported there, late: torch takes seconds.
"""
