"""Does an orchestrator keep the contract? Asked by HTTP alone, of any that speaks it.

`trial` has the one to be asked, `receiver` hears its callbacks, `checks` are the questions in their order.
"""
