"""What is run: splits, changes of the data, the plan, the store, and the runs themselves."""
