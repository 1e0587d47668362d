"""Whom a generated store sells to, and what they say."""

from __future__ import annotations

FIRST_NAMES = (
    "Ingrid", "Łukasz", "Zoë", "José", "Anne-Marie", "Nguyễn", "清美", "محمد", "D'Arcy", "Björk", "Olga", "Søren",
    "María José", "X", "Jean–Luc", "Priya", "Thandiwe", "İbrahim", "Ελένη", "John",
)  # fmt: skip
LAST_NAMES = (
    "Åsen", "O'Neill", "García Márquez", "van der Berg", "Smith", "山田", "العربي", "Müller-Lüdenscheidt", "Tkáč",
    "Null", "de la Cruz", "Nguyễn", "Søndergård", "Smith Jr.", "Þórsdóttir", "Ivanov", "Li", "Papadopoulou", "Da Silva",
    "Öz",
)  # fmt: skip
MAILERS = ("example.com", "example.org", "mail.example.net", "bücher.example", "EXAMPLE.COM")
MARKETING = ("SUBSCRIBED", "NOT_SUBSCRIBED", "NOT_SUBSCRIBED", "UNSUBSCRIBED", "PENDING")
LOCALES = ("en", "en", "nb", "de", "fr-CA", "ja")
CUSTOMER_TAGS: tuple[list[str], ...] = (
    [],
    [],
    [],
    ["VIP"],
    ["newsletter", "wholesale"],
    ["Été 2025"],
    ["b2b", "net-30"],
)
STREETS = (
    "1 Main St",
    "Karl Johans gate 12",
    "Calle de Alcalá, 48",
    "Prenzlauer Allee 242\nHinterhaus",
    "银座4-5-6",
    "Unit 5 / Bay 9",
)
PLACES: tuple[tuple[str | None, str | None, str | None, str | None, str | None], ...] = (
    ("Oslo", None, None, "Norway", "NO"),
    ("Ottawa", "Ontario", "ON", "Canada", "CA"),
    ("Portland", "Oregon", "OR", "United States", "US"),
    ("Austin", "Texas", "TX", "United States", "US"),
    ("Berlin", None, None, "Germany", "DE"),
    ("東京", "Tōkyō", "JP-13", "Japan", "JP"),
    ("Madrid", "Madrid", "M", "Spain", "ES"),
    ("São Paulo", "São Paulo", "SP", "Brazil", "BR"),
    ("Reykjavík", None, None, None, None),
    (None, None, None, "United Kingdom", "GB"),
)
"""City, province, its code, country, its code; the last but one has no country."""
ZIPS = ("0155", "K1A 0B1", "97201", "10405", "104-0061", "28014", "", None)
LINE_COUNTS = (1, 1, 1, 1, 2, 2, 3, 3, 4, 6)
QUANTITIES = (1, 1, 1, 1, 1, 2, 2, 3, 5, 12)
CUSTOM_ITEMS = ("Engraving", "Rush fee", "Gift wrap 🎁", 'Custom: "as discussed"')
CODES = ("WELCOME10", "summer-10", "VIP 🎉", "REF-0042")
SHIPPING = (490, 790, 990, 1500, 4900)
SOURCES = ("web", "web", "web", "web", "pos", "shopify_draft_order", "580111", None)
GATEWAYS = ("shopify_payments", "shopify_payments", "shopify_payments", "paypal", "manual", "gift_card")
ORDER_TAGS: tuple[list[str], ...] = ([], [], [], [], ["priority"], ["Été", "gift"], ["b2b"])
NOTES = (
    None,
    None,
    None,
    None,
    None,
    "Leave at the door",
    "Anrufen!\r\nZweiter Stock",
    "🎂 for Friday",
    '"quoted", comma\ttab',
)
REFUND_NOTES = (None, None, "Damaged in transit", "Passer ikke")
CANCEL_REASONS = ("CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF")
