"""The commands of ``drumlib``, one module for each kind; ``drumlib.__main__`` puts them together.

Each module has ``add_commands``, which describes its commands and options, and one function for each command. Whatever
is slow to import is imported inside these functions: ``drumlib --help`` must not wait for Keras.
"""
