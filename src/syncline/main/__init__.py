"""The composition root: reads the settings, lists the apps and connectors, puts them together, and is the command line.

Imports everything; nothing imports it.
"""
