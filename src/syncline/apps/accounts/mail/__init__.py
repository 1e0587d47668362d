"""Mails to people: written in the transaction of what they tell of, sent by a job, kept where there is no server."""
