// Commands that measure time and memory share the process with the other tests: one after another, or they disturb each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
