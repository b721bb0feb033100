"""Django's admin as a door of the console: a site behind its sign-in, and pages that keep its rights and its audit log."""
