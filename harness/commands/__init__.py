"""The verbs of the command `policylab`: one module for each verb."""
