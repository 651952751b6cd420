"""The registers that an administrator keeps: region, teams, municipalities, partners, routing, senders."""
