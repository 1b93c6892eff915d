"""Pickles that somebody else wrote: walked opcode by opcode, nothing in them is ever called."""
