//! The network: topology graph, links, partitions; whether and when a message arrives.
