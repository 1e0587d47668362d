"""lemlist: reads activities and campaigns, and manages the hooks that tell of new ones."""
