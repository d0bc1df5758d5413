"""What a grade tells: all that reports need of a submission, so that nobody reads it again.

- `graded`: the grade of a submission with everything below.
- `causes`: why a flow went as it did, in the oracle's words.
- `showing`: the rows, flows and causes that every report shows, and in which order.
- `matrix`: wanted against got as a table, as far as a student may see it.
- `sketch`: what is written in a submission, in numbers; `alike`: submissions that say the same.
- `plain`: texts of strangers, made visible.
"""
