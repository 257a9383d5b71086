"""The link from Monitor to the page of all models' evidence."""

from studio.gui.pages.shared.page_link import PageLink

LINK = PageLink("responsible", "Responsible AI", "Shows the evidence of all models.")
