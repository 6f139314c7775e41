"""Case files about sets of plugins, replayed through the functions that decide in the product.

A case names its releases by catalogue files; nothing here asks the database.
"""
