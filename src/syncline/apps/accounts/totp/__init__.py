"""One-time codes from a phone (RFC 6238), and the recovery codes for when the phone is lost."""
