"""What stands around Django in a web process: health, static files, open pages that ask for news, logs without secrets."""
