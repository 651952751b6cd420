"""One door out: who may get what, who releases it, and a last look at the moment that it goes."""
