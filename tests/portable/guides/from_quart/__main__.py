from ..rows import main
from . import row
from .shared import quiet

quiet()
main(row)
