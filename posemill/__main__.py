"""`python -m posemill`: the command line."""

from posemill.cli import main

if __name__ == "__main__":
    main()
