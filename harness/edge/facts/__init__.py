"""The measurements of the labs: `fact/`, `questions/`, `option/`, `blocked/` and `rollout/`.

`registry` says which function measures what. `harness.edge.play` calls this room.
"""
