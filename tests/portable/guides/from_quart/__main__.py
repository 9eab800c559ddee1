from ..rows import main
from . import row

main(row)
