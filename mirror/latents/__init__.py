"""The latents stage: sitters come in; what each of the six schools makes of them goes out.

``latents``: the layout of a latent, and how markers become one. ``emphasis``: proportions said
louder than they are. ``stored``: what the schools' files say of both. ``visitors``: from sitters
to visits, which the river takes in. ``floor``: where on the screen somebody appears who stands
there, and whether they count. Pure numpy.
"""
