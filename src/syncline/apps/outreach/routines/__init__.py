"""What runs by itself at fixed times, watched: when it ran last, when it runs next, and whether that is well."""
