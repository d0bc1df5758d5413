"""Grading: submissions judged by the flows that they let pass, not by how they are written.

Here lives all of grading that needs no file and no cluster:

- `model`: the words. An `Assignment` has `Row`s of wanted flows, and a row for all the rest. A
  `Submission` is a student's files, read into objects or refused in words. A `Heard` is what was
  seen or predicted of one flow, a `FlowResult` is that against what was wanted, and a `Grade` is
  what a submission gets.
- `reading`: `assignment.yaml` and the files beside it to an `Assignment`.
- `submitting`: a student's files to a `Submission`, by the assignment's rules.
- `world`: who is there when a submission is judged: workloads, witnesses, the outside.
- `judge`: the seam `Judge`, which hears every flow; `Predicted` asks the oracle.
- `marks`: what was heard to points, the same for a submission, to the digit.
- `telling`: what a grade tells people: causes, what reports show, submissions that are alike.
- `soundness`: whether an assignment agrees with itself.
- `randomised`: the names of one student's own.
- `judging`: rules that are too wide at one side alone; what a cluster can show of a submission.
- `proposal`: a first `assignment.yaml`.
- `mutation`: wrong and right variants of a right solution, by which a grader is graded.
- `document`: grades as `grades.json` has them, written and read.

The edge reads submissions from disk and judges on a cluster; reports lay grades out for people.
"""
