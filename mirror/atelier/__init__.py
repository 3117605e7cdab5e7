"""The atelier: where a school's portraits become a face model. Read in this order:

portraits.py   a folder of pictures -> usable portraits with markers and mattes
frame.py       the markers of all of them -> the canonical frame
unwarp.py      a portrait -> its texture in the canonical frame, hidden side filled
proportions.py the shapes of a school -> shape basis, accent, reading
linear.py      the textures of a school -> mean and principal components
packing.py     the textures of a school -> its wardrobe; legibility.py: whose hair is worn
classroom.py   batches to learn from; critic.py: who judges; finish.py: the finisher learns
train.py       all of it, and the weights and their card
sheet.py       what a person looks at; measure.py: what is measured
"""
