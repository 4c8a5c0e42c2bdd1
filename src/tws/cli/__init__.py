"""The command line: faces, no decisions. `tws.cli.app:main` is the command `tws`."""
