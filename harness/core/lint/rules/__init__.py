"""The rules of lint, a module for each subject.

A rule is a function from a state (`harness.core.lint.ground`) to findings; the table of rules is
`harness.core.lint.table`. How a policy is written is never a fault by itself: a rule looks for what
is probably meant, and the oracle's verdicts on a flow, as it is and as it would be, decide.
"""
