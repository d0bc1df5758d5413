"""What tests of an application say of its policies: on a cluster (`reach`) or offline (`predict`).

`saying` has the words of a test and says when they hold, for both, and `unsaid` finds the flow of
which a test says nothing; `naming` reads the names in them, `listed` a list of wanted flows, and
`reading` the manifests that a test hands over. `offline` asks the policies of files, `live` and
`opening` ask the pods of a cluster, `changing` applies manifests for the time of a block.
`harness.plugin.front` has the two fixtures.
"""
