"""What a push would do, and what of it the store would refuse, before anything is claimed or sent."""
