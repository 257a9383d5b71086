"""What a server says about itself to the people who use it: a page, and the same as JSON."""
