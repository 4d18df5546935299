"""What can be asked over HTTP: every module here has ROUTES."""
