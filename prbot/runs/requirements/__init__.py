"""What must hold before something is applied: pure predicates, every reason told at once.

Each takes the scene, or a part of it, and returns the reasons why not; none means that it
holds. `judging` asks all of them that an apply by comment has to meet.
"""
