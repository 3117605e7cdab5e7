"""The measures: what the models are held to, computed and never argued about. Read in this order:

bars.py          the names of the measures, how each is computed, and its bar
variants.py      a model as it paints, and the same without its finisher
performances.py  people who move: from films, or synthetic
judge.py         FaceMesh, which looks at a portrait as it looks at a visitor
obedience.py     does the portrait do what the visitor does; would one know oneself in it
likeness.py      does it look like the school, and not like any one portrait of it
classifiers.py   the same, asked of small networks that saw the school's real portraits
steadiness.py    does the paint hold still when it should

``measure.py``, one room further out, calls them all.
"""
