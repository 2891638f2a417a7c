"""What stands between the generated bindings and the author's class. Not for plugins."""
