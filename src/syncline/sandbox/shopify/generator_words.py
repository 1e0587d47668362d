"""What a generated store is worded with."""

from __future__ import annotations

VENDORS = (
    "Acme", "Northwind Goods", "Ålesund & Søn", "Kiyomi 清美", "O'Neill & Daughters", "Maison Été", 'The "Good" Co.',
    "ACME", "acme ", "Blue Heron", "Ferro e Legno", "Tkáč", "Zed/Zed", "Lumen (EU)", "Pánská dílna", "Studio 54½",
)  # fmt: skip
TYPES = ("Shirt", "Trousers", "Shoes", "Mug", "Lamp", "Bike Part", "Notebook", "shirt", "Gift Card", "Candle > Soy")
ADJECTIVES = ("Classic", "Merino", "Waxed", "Linen", "Recycled", "Heavy", "Everyday", "Alpine", "Café", "Indigo")
NOUNS = ("Overshirt", "Trouser", "Boot", "Mug", "Desk Lamp", "Chainring", "Notebook", "Beanie", "Candle", "Rucksack")
EMOJI = ("🔥", "🧶", "👩🏽‍🎨", "🇳🇴", "❄️", "🚲")
RIGHT_TO_LEFT = ("قميص كتان أزرق", "حذاء جلد طبيعي", "מנורת שולחן", "כובע צמר Merino", "دفتر ملاحظات ۱۲۳")
AWKWARD = (
    'The "Perfect" {}', "{} 50% off\\now", "{}\twith a tab", "{} <b>bold</b> &amp; more", "'{}", "=SUM({})",
    "{}, large; small",
)  # fmt: skip
TAGS = (
    "sale", "SALE-2026", "New Arrival", "new-in", "Été", "Men's", "WOMEN", "eco", "Eco-Friendly", "50%", "size:XL",
    "B2B only", "🔥 hot", "winter", "Winter 25/26", "clearance", "_internal", "made in Norway",
)  # fmt: skip
SIZES = (
    "XS", "S", "M", "L", "XL", "XXL", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46",
    "47", "48", "One Size",
)  # fmt: skip
COLORS = (
    "Black", "White", "Indigo", "Moss / Green", "Rød", "blå", "Sand", "Off-White", "Ecru", "Clay", "Rust", "Navy",
    "Heather Grey",
)  # fmt: skip
MATERIALS = ("Cotton", "Wool", "Linen")
LOCATIONS = ("Main warehouse", "Flagship store", "Outlet", "3PL Rotterdam", "Pop-up")
PARAGRAPHS = (
    "<p>Cut from a dense {} cloth that softens with wear.\u00a0Machine wash cold, line dry.</p>",
    '<ul>\n\t<li>Made in small batches</li>\n\t<li>Weight: 240&nbsp;g/m&sup2;</li>\n\t<li>"{}" fit</li>\n</ul>',
    "<p>C:\\catalogue\\{}\\final — see the size chart.</p>\r\n",
    "<p>First line\u2028second line\u2029third: {}</p>",
    "<h3>Care</h3><p>Don't tumble dry. 'Cool' iron only; {} may shrink 2–3 %.</p>",
    "<table><tr><td>EU</td><td>42</td></tr><tr><td>US</td><td>9</td></tr></table><p>{}</p>",
    '<p style="text-align: center;">🌿 {} 🌿</p>\n<p>&nbsp;</p>\n',
    '<p dir="rtl">مصنوع من {} الطبيعي</p>',
    "<!-- pasted from Word --><p class='MsoNormal'><span>{}</span></p>",
    "<p>Ships in 2&ndash;4 days &lt;EU&gt; and 5+ days elsewhere. {}\t\ttwo tabs.</p>",
)  # fmt: skip
