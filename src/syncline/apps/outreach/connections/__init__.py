"""How this tenant reaches lemlist, Smartlead, Mixpanel and Attio: keys, sealed, and what they were last found to be."""
