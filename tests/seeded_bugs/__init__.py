"""Bugs that the suites must catch: a check that can't fail shows nothing.

`make seeded-bugs` plants each of bugs.py in a copy of the tree and runs the tests named beside it;
it fails when a bug gets by.
"""
