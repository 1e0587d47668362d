"""What a person tells of himself: language, time zone, how he likes to learn, what he needs to read and hear."""
