"""What comes in: advice, reports, feeds, quarantine and feedback to the reporter."""
