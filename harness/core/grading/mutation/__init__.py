"""Wrong and right variants of a reference solution, by which a grader is graded.

A reference is the plain documents of its policies, and who is there. Every rule of `wrong` makes
mistakes that people make; every rule of `right` writes the same behaviour in another way. Nothing
here knows marks: whether a variant was caught is the caller's affair, and whether it changes a
flow at all is asked of the oracle, over a closed world with witness pods (`equal`).
"""
