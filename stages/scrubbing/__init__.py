"""Private data is taken out of a named event before anything of it is written to MongoDB. Pure."""
