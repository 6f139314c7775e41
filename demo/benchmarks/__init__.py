"""How fast Plumbline is: the loop on the real fleet, and evaluation on fleets of any size made from it."""
