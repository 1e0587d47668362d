"""The domain apps. Each may import the connectors, the runtime, the kernel, and of another app its `contract` only."""
