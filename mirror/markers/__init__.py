"""The markers stage: a camera's picture comes in, sitters go out, and the picture ends here.

Read in this order:

- ``markers``: ``FaceReader``, from a picture to the markers of the faces in it;
- ``patches``: the square pieces of a picture that the networks look at;
- ``networks``: MediaPipe's detector, mesh and matte; ``hush`` keeps their start-up notes quiet;
- ``topology``: triangles and outlines between the markers;
- ``sitters``: who has come, who is still there, who has left; ``one_euro`` calms their markers.

Nobody is recognised. mediapipe is imported nowhere else.
"""
