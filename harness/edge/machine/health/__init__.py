"""What this machine must have before images can be built and a cluster can run: one check each.

A check only reads: files of the kernel, and what programs say of themselves. It asks no address.
`policylab doctor` shows all findings; `cluster up` ends with the lacks among them, before it makes
anything.
"""
