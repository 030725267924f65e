"""`python -m catchwater`: the command line, where the console script is not on PATH."""

from catchwater.commands.cli import main

main()
