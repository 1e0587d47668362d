"""A made-up world of outreach: campaigns, sequences, leads, and what happens to each mail.

The doubles of lemlist and of Smartlead each show such a world in their vendor's shape. This package knows neither.
"""
