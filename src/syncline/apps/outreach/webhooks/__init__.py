"""What lemlist and Smartlead tell by themselves: stored raw, then drained into the same keys."""
