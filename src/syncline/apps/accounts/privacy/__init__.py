"""What people may ask of those who hold their data: consents and choices, exports, erasures, and how long it is kept.

Reaches every app through `runtime.privacy.PersonalData`, and knows no table but those of this app.
"""
