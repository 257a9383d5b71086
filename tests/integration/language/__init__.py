"""Language models as users have them."""
