"""The bot, module by module."""
