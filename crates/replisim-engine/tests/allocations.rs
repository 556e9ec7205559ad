//! In a steady state the event queue allocates nothing.

#![allow(unsafe_code)] // an allocator cannot be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use replisim_engine::{Queue, Streams, Time, TimerSlot};
use replisim_engine::{law::Law, random::below, time::Duration};

/// The system's allocator, counting.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Lets `pending` chains of events go on and on, one in 16 of them by moving a timer, and counts allocations after a
/// warm-up.
fn allocations(pending: u64, mut delay: impl FnMut(u64) -> u64) -> u64 {
    const EVENTS: u64 = 400_000;
    let mut queue = Queue::new();
    let slots: Vec<TimerSlot> = (0..64).map(|slot| queue.new_timer(slot << 4)).collect();
    for chain in 0..pending {
        queue.schedule(Time::from_nanos(delay(chain)), chain);
    }
    let mut before = 0;
    for i in 0..2 * EVENTS {
        if i == EVENTS {
            before = COUNT.get();
        }
        let (now, event) = queue.pop_until(Time::MAX).expect("a chain never ends");
        let at = Time::from_nanos(now.nanos() + delay(i));
        if event.is_multiple_of(16) {
            queue.arm(slots[(event >> 4) as usize % slots.len()], at);
        } else {
            queue.schedule(at, event);
        }
    }
    COUNT.get() - before
}

#[test]
fn the_queue_allocates_nothing_once_it_has_seen_its_load() {
    let exponential = Law::Exponential { mean: Duration::from_millis(1) }.sampler().unwrap();
    for pending in [3, 100, 10_000] {
        let mut stream = Streams::new(1).named("delays");
        let memoryless = allocations(pending, |_| exponential.sample_nanos(&mut stream) as u64);
        let mut stream = Streams::new(1).named("delays");
        let bimodal =
            allocations(pending, |i| below(&mut stream, if i % 100 == 0 { 1 << 30 } else { 1 << 13 }));
        let bursts = allocations(pending, |_| 1_000_000);
        for (name, count) in [("memoryless", memoryless), ("bimodal", bimodal), ("bursts", bursts)] {
            // A peak that was not seen before may yet make a buffer grow, but no more than that.
            assert!(count <= 4, "{name} with {pending} pending: {count} allocations");
        }
    }
}
