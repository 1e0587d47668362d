"""Personal data: what every app says of the people it knows, so that their data is found, handed out and erased.

Owns the interface that each app implements (`PersonalData`), whose data it is about (`Subject`), the files of an
export, and the same for the runtime's own tables: jobs and events. Refuses to decide who may ask; that is an app's.
"""
