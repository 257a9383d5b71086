"""Chat templates of models, interpreted under budgets and never run as code."""

from .chat import ChatTemplate
from .limits import TemplateError, TemplateLimits

__all__ = ["ChatTemplate", "TemplateError", "TemplateLimits"]
