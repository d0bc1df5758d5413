"""The verbs of the command `policylab`, a module each."""
