"""Doubles of the vendors Syncline talks to, each written from the vendor's own documents, never from our connectors.

A double imports the kernel only, so that a misunderstanding in a connector cannot hide in it.
"""
