"""A conformance run for people and for CI systems: JUnit, Markdown, a page, and a terminal."""
