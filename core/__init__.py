"""The ground floor: settings, database, time, identity, audit and durable jobs."""
