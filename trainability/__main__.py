"""The program: `trainability`, and `python -m trainability`."""

from trainability import interrupts
from trainability.cli import main as command_line


def main() -> None:
    """The command line as a process of its own: signals are handled up to its very end."""
    interrupts.handle_to_the_end()
    command_line()


if __name__ == "__main__":
    main()
