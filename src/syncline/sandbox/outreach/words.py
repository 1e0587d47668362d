"""Names of people, companies and campaigns, with the dirt of real lists."""

from __future__ import annotations

FIRST = ("Ada", "Bo", "Chloé", "Dmitri", "Elif", "Fatou", "Grace", "Hiro", "Inés", "Jürgen", "Katarzyna", "Liam",
         "María José", "Ngozi", "Oluwaseun", "Priya", "Quentin", "Rosa", "Søren", "Tamar", "Uwe", "Vera", "Wei",
         "Ximena", "Yusuf", "Zoë")  # fmt: skip
LAST = ("Lovelace", "Andersen", "Dubois", "Ivanov", "Yılmaz", "Diop", "Hopper", "Tanaka", "García", "Müller", "Nowak",
        "O'Brien", "Fernández", "Okafor", "Adeyemi", "Sharma", "Martin", "Rossi", "Kierkegaard", "Levi", "Schmidt",
        "Novák", "Chen", "Rojas", "Demir", "de la Cruz")  # fmt: skip
COMPANIES = ("Lemonade Works", "Acme Inc.", 'Blue "Ocean" Ltd', "Čedok", "Data & Sons", "Échelle", "Fjord AS",
             "Globex", "Hooli", "Initech", "", "Kiosk 24/7")  # fmt: skip
DOMAINS = ("lemonade.example", "acme.example", "ocean.example", "cedok.example", "data-sons.example", "echelle.example",
           "fjord.example", "globex.example", "hooli.example", "initech.example", "mail.example",
           "kiosk24.example")  # fmt: skip
TOPICS = ("Recruiting", "Webinar", "Partners", "Trial follow-up", "Agency", "SaaS founders", "Retail", "Fintech",
          "Conference", "Win-back")  # fmt: skip
REGIONS = ("DACH", "France", "Nordics", "UK & Ireland", "US East", "US West", "APAC", "LATAM")
MARKS = ("", "", "", " 🚀", " (copy)", " – test", ' "v2"', "; final")
SUBJECTS = ("Quick question, {name}", "{company} + us?", "Re: following up", "One idea for {company}", "Last try 🙂")
