"""The embedded engines as commands: how each is started, and how one knows that it answers.

Nothing here starts a process: the CLI hands these commands to its process manager, tests hand them
to a fixture. All listen on loopback only.
"""
