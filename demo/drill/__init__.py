"""The fault drill: everything goes wrong at once, and afterwards every promise of execution is checked."""
