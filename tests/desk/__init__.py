"""What a person sees: pages by role, states, budgets, words in two languages."""
