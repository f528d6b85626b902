"""Bounded attacks. Each module is run inside as it stands; each public function is one attack.

A function is given the host's canaries (see tests/sandbox/canaries.py) and returns what it gained:
anything true is a breach, whatever the canaries say. Attacks that fail may raise what they like.
"""
