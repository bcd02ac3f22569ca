"""What everything costs, per part of the system: the measurements the capacity model stands on."""
