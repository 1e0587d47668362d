"""All that is held of somebody, as a file: made by a job, sealed where it lies, and gone when it expires."""
