"""Smartlead: reads campaigns, the state of every mail and leads, and manages the webhooks that tell of new events."""
