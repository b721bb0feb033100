"""Questions of people and programs that look; nothing here changes anything."""
