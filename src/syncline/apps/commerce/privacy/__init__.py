"""What commerce holds of people: customers and their orders, and who of the staff did what."""
