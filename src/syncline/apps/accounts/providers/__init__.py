"""Who may say who somebody is: the OpenID providers of the installation, from its settings, and those of a tenant."""
