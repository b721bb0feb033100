"""The product as its users see it: `manage.py serve`, a browser, REST, and processes that die."""
