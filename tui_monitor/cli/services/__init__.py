"""The collector as a service of the system: of systemd for one user, of launchd on a Mac."""
