//! The network as its users see it: what is sent, and what comes out when.

mod bench;
mod conservation;
mod endings;
mod interface;
mod roads;
mod tcp;
mod unordered;
