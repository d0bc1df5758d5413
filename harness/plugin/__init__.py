"""The pytest plugin, which comes with the package as an entry point (`pytest11`).

`front` is all that a run of pytest imports that uses nothing of policylab: the options (`declared`)
and fixtures that import the rest when a test asks for them. It registers `labs` for a run of labs:
`hooks` are the hooks of pytest, `fixtures` the fixtures of labs and of live tests. `options` reads
`--lab-*`, `rows` finds the rows among pytest's items, `recorder` keeps the result of each row, and
`workers` spreads tutorials over the processes of pytest-xdist. Nothing else may import this room.

The modules are registered under their own names, so that a conftest.py may name one of them as well
and none is registered twice.
"""

pytest_plugins = ["harness.plugin.front"]
