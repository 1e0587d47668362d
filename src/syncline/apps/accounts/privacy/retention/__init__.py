"""How long each kind of data is kept: rules of the apps, days of the tenant, removed by a job each night."""
