"""What tests of an application say of its policies: on a cluster (`reach`) or offline (`predict`).

`saying` has the words of a test and says when they hold, for both; `naming` reads the names in
them. `offline` asks the policies of files, `live` and `equipping` ask the pods of a cluster,
`changing` applies manifests for the time of a block. `harness.plugin.front` has the two fixtures.
"""
