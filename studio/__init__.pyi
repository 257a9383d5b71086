"""Types of the studio as a library."""

from studio.library import Endpoint as Endpoint
from studio.library import Model as Model
from studio.library import Quantized as Quantized
from studio.library import Report as Report
from studio.library import close as close
from studio.library import endpoint as endpoint
from studio.library import get_sample as get_sample
from studio.library import open as open
from studio.library import run as run

__version__: str
