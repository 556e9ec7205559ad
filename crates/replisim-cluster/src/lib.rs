//! Nodes, clients, workloads and faults: drives one protocol over one network and emits observations.
