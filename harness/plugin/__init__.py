"""The pytest plugin: `pytest_plugins = ["harness.plugin"]` loads it.

`hooks` are the hooks of pytest, `fixtures` the fixtures of labs and of live tests. `options` reads
`--lab-*`, `rows` finds the rows among pytest's items, `recorder` keeps the result of each row, and
`workers` spreads tutorials over the processes of pytest-xdist. Nothing else may import this room.
In a run without labs the plugin prints nothing and changes nothing.
"""

pytest_plugins = ["harness.plugin.fixtures", "harness.plugin.hooks"]
