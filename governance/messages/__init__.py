"""What messages say: a safe template language, the texts that ship, and those that a group wrote instead."""
