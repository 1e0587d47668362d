"""I/O written once: database, jobs, bus, HTTP, connector kit, observation. Knows the kernel and no app."""
